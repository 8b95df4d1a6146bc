//! Entry point of the program `anatomy`.

fn main() -> std::process::ExitCode {
    anatomy::main()
}
