//! Hardware devices by their makers' published figures, or as a user describes one.
//!
//! Figures are peaks without sparsity, so what is computed from them is an upper bound, never a forecast: the runs of
//! LLM-Perf reach two thirds of it at best (tested). For consumer cards the peak is with accumulation in 16 bits, their
//! faster mode. Apple publishes bandwidths for all, but operations only for its first two generations.

use serde::{Deserialize, Serialize};

use super::Precision;

/// A device that runs a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Name, as its maker gives it.
    pub name: String,
    /// Memory, bytes; `None` where it is sold with several sizes or the size is not stated.
    pub memory_bytes: Option<f64>,
    /// Memory bandwidth, bytes per second.
    pub bandwidth: f64,
    /// Peak speed for 16-bit numbers, operations (multiplications and additions) per second; `None` where not stated.
    pub flops_16: Option<f64>,
    /// Peak speed for 32-bit numbers, operations per second; `None` where not stated.
    pub flops_32: Option<f64>,
    /// Where the figures are published.
    pub source: String,
}

impl Device {
    /// Peak operations per second for weights in this format; quantized weights are multiplied as 16-bit numbers.
    pub fn flops(&self, precision: Precision) -> Option<f64> {
        match precision {
            Precision::F32 => self.flops_32,
            Precision::Half | Precision::Int8 | Precision::Int4 => self.flops_16,
        }
    }
}

/// Name, GB of memory (0: several sizes), GB/s, Tflop/s with 16 and with 32 bits (0: not stated), source.
type Line = (&'static str, f64, f64, f64, f64, &'static str);

const TABLE: [Line; 45] = [
    ("A10", 24.0, 600.0, 125.0, 31.2, "NVIDIA A10 datasheet, 2021"),
    ("A10G", 24.0, 600.0, 70.0, 35.0, "NVIDIA A10G datasheet, 2022"),
    ("A40", 48.0, 696.0, 149.7, 37.4, "NVIDIA A40 datasheet, 2021"),
    (
        "A100 40GB",
        40.0,
        1555.0,
        312.0,
        19.5,
        "NVIDIA A100 datasheet, 2021",
    ),
    (
        "A100 80GB PCIe",
        80.0,
        1935.0,
        312.0,
        19.5,
        "NVIDIA A100 datasheet, 2021",
    ),
    (
        "A100 80GB",
        80.0,
        2039.0,
        312.0,
        19.5,
        "NVIDIA A100 datasheet (SXM), 2021",
    ),
    (
        "H100 PCIe",
        80.0,
        2000.0,
        756.0,
        51.0,
        "NVIDIA H100 datasheet, 2022",
    ),
    (
        "H100",
        80.0,
        3350.0,
        989.4,
        67.0,
        "NVIDIA H100 datasheet (SXM), 2023",
    ),
    ("H200", 141.0, 4800.0, 989.4, 67.0, "NVIDIA H200 datasheet, 2024"),
    ("L4", 24.0, 300.0, 121.0, 30.3, "NVIDIA L4 datasheet, 2023"),
    ("L40S", 48.0, 864.0, 362.05, 91.6, "NVIDIA L40S datasheet, 2023"),
    ("T4", 16.0, 320.0, 65.0, 8.1, "NVIDIA T4 datasheet, 2019"),
    (
        "V100",
        32.0,
        900.0,
        125.0,
        15.7,
        "NVIDIA V100 datasheet (SXM2), 2020",
    ),
    (
        "MI300X",
        192.0,
        5300.0,
        1307.4,
        163.4,
        "AMD Instinct MI300X data sheet, 2023",
    ),
    (
        "RTX A6000",
        48.0,
        768.0,
        154.8,
        38.7,
        "NVIDIA RTX A6000 datasheet, 2020",
    ),
    (
        "RTX 3060",
        12.0,
        360.0,
        51.2,
        12.7,
        "NVIDIA GA106 product page, 2021; 16 bits four times 32",
    ),
    (
        "RTX 3090",
        24.0,
        936.0,
        142.0,
        35.6,
        "NVIDIA Ampere GA102 whitepaper, 2020",
    ),
    (
        "RTX 4060 Ti 16GB",
        16.0,
        288.0,
        88.0,
        22.0,
        "NVIDIA product page, 2023; 16 bits four times 32",
    ),
    (
        "RTX 4080",
        16.0,
        716.8,
        194.9,
        48.7,
        "NVIDIA Ada whitepaper, 2022",
    ),
    (
        "RTX 4090",
        24.0,
        1008.0,
        330.3,
        82.6,
        "NVIDIA Ada whitepaper, 2022",
    ),
    (
        "RTX 5090",
        32.0,
        1792.0,
        419.0,
        104.8,
        "NVIDIA RTX Blackwell whitepaper, 2025",
    ),
    (
        "RTX 3080",
        10.0,
        760.3,
        119.0,
        29.8,
        "NVIDIA Ampere GA102 whitepaper, 2020",
    ),
    (
        "RTX 3090 Ti",
        24.0,
        1008.0,
        160.0,
        40.0,
        "NVIDIA product page, 2022; 16 bits four times 32",
    ),
    (
        "RTX 4070",
        12.0,
        504.2,
        116.6,
        29.1,
        "NVIDIA product page, 2023; 16 bits four times 32",
    ),
    (
        "RTX 4070 Super",
        12.0,
        504.2,
        141.9,
        35.5,
        "NVIDIA product page, 2024; 16 bits four times 32",
    ),
    (
        "RTX 4070 Ti",
        12.0,
        504.2,
        160.4,
        40.1,
        "NVIDIA product page, 2023; 16 bits four times 32",
    ),
    (
        "RTX 5080",
        16.0,
        960.0,
        225.1,
        56.3,
        "NVIDIA RTX Blackwell whitepaper, 2025",
    ),
    (
        "RX 7900 XTX",
        24.0,
        960.0,
        122.8,
        61.4,
        "AMD Radeon RX 7900 XTX product page, 2022",
    ),
    (
        "RX 7900 XT",
        20.0,
        800.0,
        103.2,
        51.6,
        "AMD Radeon RX 7900 XT product page, 2022",
    ),
    (
        "B200",
        180.0,
        8000.0,
        2250.0,
        0.0,
        "NVIDIA DGX B200 datasheet, 2024, an eighth, without sparsity",
    ),
    (
        "DGX Spark",
        128.0,
        273.0,
        0.0,
        0.0,
        "NVIDIA DGX Spark datasheet, 2025",
    ),
    ("M1", 0.0, 68.25, 0.0, 2.6, "Apple newsroom, 2020"),
    ("M1 Pro", 0.0, 200.0, 0.0, 5.2, "Apple newsroom, 2021"),
    ("M1 Max", 0.0, 400.0, 0.0, 10.4, "Apple newsroom, 2021"),
    ("M1 Ultra", 0.0, 800.0, 0.0, 21.0, "Apple newsroom, 2022"),
    ("M2", 0.0, 100.0, 0.0, 3.6, "Apple newsroom, 2022"),
    ("M2 Pro", 0.0, 200.0, 0.0, 0.0, "Apple newsroom, 2023"),
    ("M2 Max", 0.0, 400.0, 0.0, 0.0, "Apple newsroom, 2023"),
    ("M2 Ultra", 0.0, 800.0, 0.0, 0.0, "Apple newsroom, 2023"),
    ("M3", 0.0, 100.0, 0.0, 0.0, "Apple newsroom, 2023"),
    (
        "M3 Max",
        0.0,
        400.0,
        0.0,
        0.0,
        "Apple technical specifications (40-core GPU), 2023",
    ),
    ("M3 Ultra", 0.0, 819.0, 0.0, 0.0, "Apple newsroom, 2025"),
    ("M4", 0.0, 120.0, 0.0, 0.0, "Apple newsroom, 2024"),
    ("M4 Pro", 0.0, 273.0, 0.0, 0.0, "Apple newsroom, 2024"),
    (
        "M4 Max",
        0.0,
        546.0,
        0.0,
        0.0,
        "Apple newsroom (40-core GPU), 2024",
    ),
];

fn of(line: &Line) -> Device {
    let &(name, memory, bandwidth, flops_16, flops_32, source) = line;
    let stated = |value: f64, unit: f64| (value > 0.0).then_some(value * unit);
    Device {
        name: name.to_owned(),
        memory_bytes: stated(memory, 1e9),
        bandwidth: bandwidth * 1e9,
        flops_16: stated(flops_16, 1e12),
        flops_32: stated(flops_32, 1e12),
        source: source.to_owned(),
    }
}

/// Every device of the table, in order.
pub fn devices() -> Vec<Device> {
    TABLE.iter().map(of).collect()
}

/// The device with that name, or `None`; maker, punctuation and case are ignored (`nvidia geforce rtx-4090` is
/// `RTX 4090`).
pub fn device(name: &str) -> Option<Device> {
    let asked = plain(name);
    TABLE
        .iter()
        .find(|line| plain(line.0) == asked)
        .or_else(|| {
            TABLE
                .iter()
                .find(|line| plain(line.0).replace("80gb", "") == asked)
        })
        .map(of)
}

fn plain(name: &str) -> String {
    let name: String = name
        .to_ascii_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    [
        "nvidia", "geforce", "radeon", "apple", "amd", "instinct", "tesla", "sxm5", "sxm4", "sxm",
    ]
    .iter()
    .fold(name, |name, word| name.replace(word, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_by_any_of_its_names() {
        for (name, found) in [
            ("RTX 4090", "RTX 4090"),
            ("nvidia geforce rtx-4090", "RTX 4090"),
            ("a100", "A100 80GB"),
            ("A100-SXM4-80GB", "A100 80GB"),
            ("Apple M4 Max", "M4 Max"),
            ("h100", "H100"),
        ] {
            assert_eq!(
                device(name).map(|device| device.name).as_deref(),
                Some(found),
                "{name}"
            );
        }
        assert_eq!(device("abacus"), None);
        let names: std::collections::BTreeSet<String> = TABLE.iter().map(|line| plain(line.0)).collect();
        assert_eq!(names.len(), TABLE.len(), "no two devices share a name");
    }

    #[test]
    fn figures_are_in_base_units() {
        let card = device("A10").expect("in the table");
        assert_eq!((card.memory_bytes, card.bandwidth), (Some(24e9), 600e9));
        assert_eq!(card.flops(Precision::Int4), Some(125e12));
        assert_eq!(device("M3").expect("in the table").flops(Precision::F32), None);
    }
}
