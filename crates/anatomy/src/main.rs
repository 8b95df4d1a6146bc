//! The program `anatomy`.

fn main() -> std::process::ExitCode {
    anatomy::main()
}
