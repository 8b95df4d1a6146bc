//! The same drawing as PNG or PDF: the SVG document, read back and painted with a font that is compiled in.

use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;

/// Form of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For pages and editors
    Svg,
    /// For slides: twice the size of the SVG, on white
    Png,
    /// For papers: vectors and text that can be searched
    Pdf,
}

impl Form {
    /// The form that a file's name asks for; SVG where it has no ending.
    ///
    /// # Errors
    /// An ending of another form: a file would not be what its name says.
    pub(crate) fn of_path(path: &Path) -> Result<Self> {
        let Some(end) = path.extension().and_then(|end| end.to_str()) else {
            return Ok(Self::Svg);
        };
        let known = Self::value_variants()
            .iter()
            .find(|form| end.eq_ignore_ascii_case(form.extension()));
        known.copied().with_context(|| {
            format!(
                "{}: figures are written as .svg, .png or .pdf, not as .{end}",
                path.display()
            )
        })
    }

    /// End of a file's name.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Pdf => "pdf",
        }
    }

    /// An SVG document in this form.
    pub(crate) fn of_svg(self, svg: &str) -> Result<Vec<u8>> {
        match self {
            Self::Svg => Ok(svg.as_bytes().to_vec()),
            Self::Png | Self::Pdf => painted(self, svg),
        }
    }
}

#[cfg(feature = "images")]
use super::paint::painted;

#[cfg(not(feature = "images"))]
fn painted(form: Form, _svg: &str) -> Result<Vec<u8>> {
    Err(crate::explain::not_built_in(
        &format!("drawing as {}", form.extension().to_uppercase()),
        "images",
    ))
}
