//! The structure columns, and the named sets of features that the regressions use.

/// A structure column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StructureColumn {
    /// Billions of parameters.
    Size,
    /// Width of the residual stream.
    DModel,
    /// Width of the feed-forward layer.
    DFfn,
    /// Attention heads.
    Heads,
    /// Decoder layers.
    Layers,
    /// Key and value heads.
    KvHeads,
    /// Entries of the vocabulary.
    VocabSize,
    /// Positions: the longest context.
    Pos,
    /// Day of publication.
    Date,
}

/// Every structure column with its name and unit, the date last; names and units are those of the published dataset.
const TABLE: [(StructureColumn, &str, &str); 9] = [
    (StructureColumn::Size, "size", "billions of parameters"),
    (StructureColumn::DModel, "d_model", "width"),
    (StructureColumn::DFfn, "d_ffn", "width"),
    (StructureColumn::Heads, "heads", "heads"),
    (StructureColumn::Layers, "layers", "layers"),
    (StructureColumn::KvHeads, "kv_heads", "heads"),
    (StructureColumn::VocabSize, "vocab_size", "tokens"),
    (StructureColumn::Pos, "pos", "tokens"),
    (StructureColumn::Date, "date", "days since 1970-01-01"),
];

/// Names of the structure columns, the date last.
pub const COLUMNS: [&str; 9] = {
    let mut names = [""; 9];
    let mut place = 0;
    while place < names.len() {
        names[place] = TABLE[place].1;
        place += 1;
    }
    names
};

impl StructureColumn {
    /// All columns, in the order of [`COLUMNS`].
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.into_iter().map(|(column, ..)| column)
    }

    /// The column of that name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = TABLE.into_iter();
        all.find(|(_, known, _)| *known == name)
            .map(|(column, ..)| column)
    }

    /// The column's name.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// The column's unit.
    pub fn unit(self) -> &'static str {
        TABLE[self as usize].2
    }
}

/// The structure values of one checkpoint, each in its column's unit; `None` where unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StructureValues {
    /// Billions of parameters.
    pub size: Option<f64>,
    /// Width of the residual stream.
    pub d_model: Option<f64>,
    /// Width of the feed-forward layer.
    pub d_ffn: Option<f64>,
    /// Attention heads.
    pub heads: Option<f64>,
    /// Decoder layers.
    pub layers: Option<f64>,
    /// Key and value heads.
    pub kv_heads: Option<f64>,
    /// Entries of the vocabulary.
    pub vocab_size: Option<f64>,
    /// Positions: the longest context.
    pub pos: Option<f64>,
    /// Day of publication, days since 1970-01-01.
    pub date: Option<f64>,
}

impl StructureValues {
    /// The value of one column.
    pub fn get(&self, column: StructureColumn) -> Option<f64> {
        match column {
            StructureColumn::Size => self.size,
            StructureColumn::DModel => self.d_model,
            StructureColumn::DFfn => self.d_ffn,
            StructureColumn::Heads => self.heads,
            StructureColumn::Layers => self.layers,
            StructureColumn::KvHeads => self.kv_heads,
            StructureColumn::VocabSize => self.vocab_size,
            StructureColumn::Pos => self.pos,
            StructureColumn::Date => self.date,
        }
    }

    /// The value of the column of this name; `None` where it is unknown or no such column exists.
    pub fn named(&self, name: &str) -> Option<f64> {
        self.get(StructureColumn::named(name)?)
    }

    /// All values, in the order of [`COLUMNS`].
    pub fn values(&self) -> impl Iterator<Item = Option<f64>> + use<> {
        let own = *self;
        StructureColumn::all().map(move |column| own.get(column))
    }

    /// The values of the columns between size and date, in the order of [`COLUMNS`].
    pub fn dimensions(&self) -> impl Iterator<Item = Option<f64>> + use<> {
        let own = *self;
        StructureColumn::all()
            .filter(|column| !matches!(column, StructureColumn::Size | StructureColumn::Date))
            .map(move |column| own.get(column))
    }
}

/// Name and columns of each feature set. To add a set, add a line here.
pub const SETS: [(&str, &[&str]); 4] = [
    ("core", &["layers", "d_model", "d_ffn", "heads"]),
    ("structure", COLUMNS.split_at(8).0),
    ("structure_date", &COLUMNS),
    // Features that predict held-out shapes (docs/structural.md): without vocabulary and positions, but with the kind
    // of post-training.
    (
        "structural",
        &[
            "layers",
            "d_model",
            "d_ffn",
            "heads",
            "size",
            "kv_heads",
            "date",
            "pretrained",
            "merged",
        ],
    ),
];

/// The columns of a named set.
pub fn feature_set(name: &str) -> Option<&'static [&'static str]> {
    SETS.iter()
        .find(|(set, _)| *set == name)
        .map(|(_, columns)| *columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_found_by_its_name_and_holds_its_own_value() {
        for (place, column) in StructureColumn::all().enumerate() {
            assert_eq!((column as usize, column.name()), (place, COLUMNS[place]));
            assert_eq!(StructureColumn::named(column.name()), Some(column));
        }
        let values = StructureValues {
            heads: Some(32.0),
            layers: Some(40.0),
            ..StructureValues::default()
        };
        assert_eq!(
            (values.named("heads"), values.named("layers"), values.named("pos")),
            (Some(32.0), Some(40.0), None)
        );
        assert_eq!(values.dimensions().flatten().collect::<Vec<_>>(), [32.0, 40.0]);
        assert_eq!(values.named("likes"), None);
    }
}
