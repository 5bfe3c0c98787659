//! Runs of the binary.

use std::path::Path;

use assert_cmd::Command;

/// A run in a directory: exit status, standard output, standard error.
pub(crate) fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("meshlint").expect("the binary is built");
    let output = command.args(arguments).current_dir(directory).env_remove("NO_COLOR").output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("a status"), text(output.stdout), text(output.stderr))
}
