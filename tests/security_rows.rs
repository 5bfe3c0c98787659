//! What the tables of the specification leave out, each row a test named by its claim.

mod rows;

fn main() {
    let rows = rows::read("security.txt");
    let specified: Vec<String> = rows.iter().map(|row| row.specified().to_owned()).collect();
    rows::run(rows, &specified);
}
