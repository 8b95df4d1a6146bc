//! The same drawing as PNG or PDF: the SVG document, read back and painted with a font that is compiled in.

use std::path::Path;

use anyhow::Result;
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
    /// The form that a file's name asks for; SVG where it asks for none of the others.
    pub(crate) fn of_path(path: &Path) -> Self {
        match path.extension().and_then(|end| end.to_str()) {
            Some(end) if end.eq_ignore_ascii_case("png") => Self::Png,
            Some(end) if end.eq_ignore_ascii_case("pdf") => Self::Pdf,
            _ => Self::Svg,
        }
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

#[cfg(all(test, feature = "images"))]
mod tests {
    use super::*;

    const SVG: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20">
        <text x="2" y="14" font-family="Helvetica" font-size="12">R² 0.4</text></svg>"#;

    #[test]
    fn text_is_painted_without_any_font_of_the_machine() -> Result<()> {
        let empty = png(&read(&SVG.replace("R² 0.4", ""))?)?;
        let png = Form::Png.of_svg(SVG)?;
        assert!(png.starts_with(b"\x89PNG") && png.len() > empty.len());
        let map = Pixmap::decode_png(&png)?;
        assert_eq!((map.width(), map.height()), (120, 40));
        assert!(
            map.pixels().iter().any(|pixel| pixel.red() < 40),
            "nothing is dark"
        );
        Ok(())
    }

    #[test]
    fn a_page_holds_its_text_and_font() -> Result<()> {
        let pdf = Form::Pdf.of_svg(SVG)?;
        assert!(pdf.starts_with(b"%PDF-"));
        let holds = |words: &[u8]| pdf.windows(words.len()).any(|window| window == words);
        assert!(holds(b"DejaVuSans"), "the font is not embedded");
        Ok(())
    }

    #[test]
    fn the_name_of_a_file_tells_its_form() {
        assert_eq!(Form::of_path(Path::new("a/front.PNG")), Form::Png);
        assert_eq!(Form::of_path(Path::new("front.pdf")), Form::Pdf);
        assert_eq!(Form::of_path(Path::new("front")), Form::Svg);
    }
}
