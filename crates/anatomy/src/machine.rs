//! Detects the machine that the program runs on: processor, memory and graphics cards.
//!
//! Cards are detected with `nvidia-smi`, from the kernel (`/sys/class/drm`, AMD), and on macOS from the system; nothing
//! is guessed. Bandwidths are looked up by name in the table of devices, since systems do not report them.

use std::path::{Path, PathBuf};
use std::process::Command;

use catalog::cost::{Device, device};
use serde::Serialize;

/// A graphics card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Card {
    /// Name reported by the driver.
    pub(crate) name: String,
    /// Total memory in bytes.
    pub(crate) memory_bytes: f64,
    /// Free memory in bytes; `None` where not reported.
    pub(crate) free_bytes: Option<f64>,
    /// Bandwidth and compute speed; `None` where the table of devices does not list the card.
    pub(crate) figures: Option<Device>,
    /// Source of the information.
    pub(crate) told_by: String,
}

/// A machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: Option<String>,
    /// Number of threads that can run at once.
    pub(crate) threads: usize,
    pub(crate) memory_bytes: Option<f64>,
    pub(crate) free_bytes: Option<f64>,
    pub(crate) cards: Vec<Card>,
    /// Sources that were tried without success.
    pub(crate) notes: Vec<String>,
}

/// Where information is read from: the program `nvidia-smi`, and the root of `/proc` and `/sys`.
pub(crate) struct MemorySource {
    pub(crate) nvidia: PathBuf,
    pub(crate) root: PathBuf,
}

impl Default for MemorySource {
    fn default() -> Self {
        Self {
            nvidia: "nvidia-smi".into(),
            root: "/".into(),
        }
    }
}

impl Machine {
    /// The machine that this process runs on.
    pub(crate) fn here() -> Self {
        Self::of(&MemorySource::default())
    }

    /// The machine described by these sources.
    pub(crate) fn of(asked: &MemorySource) -> Self {
        let mut machine = Self {
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            ..Self::default()
        };
        machine.linux(&asked.root);
        machine.nvidia(&asked.nvidia);
        machine.amd(&asked.root);
        if cfg!(target_os = "macos") {
            machine.apple();
        }
        machine
    }

    /// The card with the most memory.
    pub(crate) fn largest(&self) -> Option<&Card> {
        self.cards
            .iter()
            .max_by(|a, b| a.memory_bytes.total_cmp(&b.memory_bytes))
    }

    fn linux(&mut self, root: &Path) {
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
        let of_cpu = read("proc/cpuinfo");
        self.processor = of_cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .and_then(|rest| rest.split_once(':'))
            .map(|(_, name)| name.trim().to_owned());
        let of_memory = read("proc/meminfo");
        let kibibytes = |name: &str| {
            let line = of_memory.lines().find_map(|line| line.strip_prefix(name))?;
            let number = line.trim_start_matches(':').split_whitespace().next()?;
            number.parse::<f64>().ok().map(|count| count * 1024.0)
        };
        self.memory_bytes = kibibytes("MemTotal");
        self.free_bytes = kibibytes("MemAvailable");
    }

    fn nvidia(&mut self, program: &Path) {
        let told = Command::new(program)
            .args([
                "--query-gpu=name,memory.total,memory.free",
                "--format=csv,noheader,nounits",
            ])
            .output();
        let Ok(told) = told else { return };
        let text = String::from_utf8_lossy(&told.stdout);
        if !told.status.success() {
            let why = String::from_utf8_lossy(&told.stderr).trim().to_owned();
            let why = if why.is_empty() {
                text.trim().to_owned()
            } else {
                why
            };
            self.notes
                .push(format!("nvidia-smi is here and tells of no card: {why}"));
            return;
        }
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let cells: Vec<&str> = line.split(',').map(str::trim).collect();
            let mebibytes = |cell: Option<&&str>| cell?.parse::<f64>().ok().map(|count| count * 1_048_576.0);
            match (cells.first(), mebibytes(cells.get(1))) {
                (Some(name), Some(memory_bytes)) => self.cards.push(Card {
                    name: (*name).to_owned(),
                    memory_bytes,
                    free_bytes: mebibytes(cells.get(2)),
                    figures: figures(name, memory_bytes),
                    told_by: "nvidia-smi".into(),
                }),
                _ => self.notes.push(format!(
                    "nvidia-smi said `{line}`: name, memory and free memory in MiB were expected"
                )),
            }
        }
    }

    /// Adds AMD cards from the kernel driver: memory, and the name where there is one.
    fn amd(&mut self, root: &Path) {
        let Ok(entries) = std::fs::read_dir(root.join("sys/class/drm")) else {
            return;
        };
        let mut folders: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path().join("device"))
            .collect();
        folders.sort();
        for folder in folders {
            let number = |name: &str| {
                let text = std::fs::read_to_string(folder.join(name)).ok()?;
                text.trim().parse::<f64>().ok()
            };
            let Some(memory_bytes) = number("mem_info_vram_total").filter(|&bytes| bytes > 1e9) else {
                continue;
            };
            let name = std::fs::read_to_string(folder.join("product_name")).unwrap_or_default();
            let name = Some(name.trim())
                .filter(|name| !name.is_empty())
                .unwrap_or("AMD graphics");
            self.cards.push(Card {
                name: name.to_owned(),
                memory_bytes,
                free_bytes: number("mem_info_vram_used").map(|used| (memory_bytes - used).max(0.0)),
                figures: figures(name, memory_bytes),
                told_by: "the kernel's amdgpu driver".into(),
            });
        }
    }

    /// Adds Apple's graphics, which share the processor's memory.
    fn apple(&mut self) {
        let asked = |name: &str| {
            let told = Command::new("sysctl").args(["-n", name]).output().ok()?;
            Some(String::from_utf8_lossy(&told.stdout).trim().to_owned()).filter(|text| !text.is_empty())
        };
        self.processor = asked("machdep.cpu.brand_string").or(self.processor.take());
        self.memory_bytes = asked("hw.memsize")
            .and_then(|text| text.parse().ok())
            .or(self.memory_bytes);
        if let (Some(name), Some(memory_bytes)) = (self.processor.clone(), self.memory_bytes)
            && name.starts_with("Apple")
        {
            self.cards.push(Card {
                figures: figures(&name, memory_bytes),
                name,
                memory_bytes,
                free_bytes: self.free_bytes,
                told_by: "sysctl; memory is shared with the processor".into(),
            });
        }
    }
}

/// Entry in the table of devices for a card, found by its name with the memory appended, else by its name alone.
fn figures(name: &str, memory_bytes: f64) -> Option<Device> {
    let gigabytes = (memory_bytes / 1e9).round();
    let mut words: Vec<&str> = name.split_whitespace().collect();
    loop {
        let shorter = words.join(" ");
        let with_memory = format!("{shorter} {gigabytes}GB");
        if let Some(found) = device::device(&with_memory).or_else(|| device::device(&shorter)) {
            return Some(Device {
                memory_bytes: Some(memory_bytes),
                ..found
            });
        }
        // Only `GPU` may be dropped from the end: an `RTX 4090 Laptop GPU` is another card than the RTX 4090.
        match words.last() {
            Some(&"GPU") => words.pop(),
            _ => return None,
        };
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn machine(nvidia: &str, files: &[(&str, &str)]) -> Machine {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("nvidia-smi");
        std::fs::write(&program, format!("#!/bin/sh\n{nvidia}\n")).expect("a script");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("may be run");
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        Machine::of(&MemorySource {
            nvidia: program,
            root: folder.path().to_owned(),
        })
    }

    #[test]
    fn cards_and_memory_are_as_the_system_tells_them() {
        let files = [
            ("proc/cpuinfo", "processor : 0\nmodel name\t: AMD Ryzen 9 7950X\n"),
            (
                "proc/meminfo",
                "MemTotal:       65536000 kB\nMemFree: 1 kB\nMemAvailable:   32768000 kB\n",
            ),
            ("sys/class/drm/card1/device/mem_info_vram_total", "25753026560\n"),
            ("sys/class/drm/card1/device/mem_info_vram_used", "1073741824\n"),
            (
                "sys/class/drm/card1/device/product_name",
                "AMD Radeon RX 7900 XTX\n",
            ),
        ];
        let two = "echo 'NVIDIA GeForce RTX 4090, 24564, 23000'; echo 'NVIDIA Unheard Of, 8192, 8000'";
        let found = machine(two, &files);
        assert_eq!(found.processor.as_deref(), Some("AMD Ryzen 9 7950X"));
        assert_eq!(
            (found.memory_bytes, found.free_bytes),
            (Some(67_108_864_000.0), Some(33_554_432_000.0))
        );
        let names: Vec<(&str, Option<&str>)> = found
            .cards
            .iter()
            .map(|card| {
                (
                    card.name.as_str(),
                    card.figures.as_ref().map(|figures| figures.name.as_str()),
                )
            })
            .collect();
        assert_eq!(
            names,
            [
                ("NVIDIA GeForce RTX 4090", Some("RTX 4090")),
                ("NVIDIA Unheard Of", None),
                ("AMD Radeon RX 7900 XTX", Some("RX 7900 XTX"))
            ]
        );
        assert_eq!(found.cards[0].memory_bytes, 24_564.0 * 1_048_576.0);
        assert_eq!(
            found.largest().map(|card| card.name.as_str()),
            Some("NVIDIA GeForce RTX 4090")
        );
    }

    #[test]
    fn what_cannot_tell_says_so_and_nothing_is_guessed() {
        let failing = machine("echo 'NVIDIA-SMI has failed' >&2; exit 9", &[]);
        assert!(failing.cards.is_empty() && failing.notes[0].contains("NVIDIA-SMI has failed"));
        let odd = machine("echo 'No devices were found'", &[]);
        assert!(odd.cards.is_empty() && odd.notes[0].contains("No devices were found"));
        assert_eq!((odd.memory_bytes, odd.processor), (None, None));
    }
}
