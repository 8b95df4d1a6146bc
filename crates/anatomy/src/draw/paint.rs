//! Renders an SVG document as PNG or PDF with a compiled-in font.

use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow};
use krilla::geom::Size;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{self, fontdb};

use super::Form;

/// PNG pixels per SVG unit.
const SCALE: f32 = 2.0;

/// The document in the given format.
pub(super) fn painted(form: Form, svg: &str) -> Result<Vec<u8>> {
    let tree = read(svg)?;
    match form {
        Form::Svg => Ok(svg.as_bytes().to_vec()),
        Form::Png => png(&tree),
        Form::Pdf => pdf(&tree),
    }
}

/// Font database that uses DejaVu Sans for every font family.
fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.load_font_data(dejavu::sans::bold().to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        fonts.set_serif_family("DejaVu Sans");
        fonts.set_monospace_family("DejaVu Sans");
        Arc::new(fonts)
    };
    FONTS.get_or_init(load).clone()
}

fn read(svg: &str) -> Result<usvg::Tree> {
    let options = usvg::Options {
        font_family: "DejaVu Sans".to_owned(),
        fontdb: fonts(),
        ..usvg::Options::default()
    };
    usvg::Tree::from_str(svg, &options).context("the drawing is not an SVG that can be rendered")
}

fn png(tree: &usvg::Tree) -> Result<Vec<u8>> {
    let pixels = |length: f32| (length * SCALE).ceil() as u32;
    let (width, height) = (pixels(tree.size().width()), pixels(tree.size().height()));
    let mut map = Pixmap::new(width, height)
        .ok_or_else(|| anyhow!("a drawing of {width} × {height} pixels cannot be painted"))?;
    map.fill(Color::WHITE);
    resvg::render(tree, Transform::from_scale(SCALE, SCALE), &mut map.as_mut());
    map.encode_png().context("the drawing cannot be written as PNG")
}

fn pdf(tree: &usvg::Tree) -> Result<Vec<u8>> {
    let (width, height) = (tree.size().width(), tree.size().height());
    let size =
        Size::from_wh(width, height).ok_or_else(|| anyhow!("a drawing of {width} × {height} has no page"))?;
    let mut document = krilla::Document::new();
    let mut page = document.start_page_with(PageSettings::new(size));
    let mut surface = page.surface();
    surface
        .draw_svg(tree, size, SvgSettings::default())
        .ok_or_else(|| anyhow!("the figure cannot be placed on a page"))?;
    surface.finish();
    page.finish();
    document
        .finish()
        .map_err(|e| anyhow!("the drawing cannot be written as PDF: {e:?}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
        let form = |name: &str| Form::of_path(Path::new(name)).ok();
        assert_eq!(form("a/front.PNG"), Some(Form::Png));
        assert_eq!(form("front.pdf"), Some(Form::Pdf));
        assert_eq!(form("front"), Some(Form::Svg));
        assert_eq!(form("front.jpg"), None);
    }
}
