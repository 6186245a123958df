//! Rows are read by the names of their columns.

use syn::visit::Visit;

use super::{files, shown};

/// A number at which a row is read: which file, which number.
struct Numbers<'f> {
    file: &'f str,
    found: Vec<String>,
}

impl<'ast> Visit<'ast> for Numbers<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.ident != "tests" {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let is_read = call.method == "get" || call.method == "get_ref";
        let is_row = matches!(&*call.receiver, syn::Expr::Path(path) if path.path.is_ident("row"));
        if is_read
            && is_row
            && let Some(syn::Expr::Lit(argument)) = call.args.first()
            && let syn::Lit::Int(number) = &argument.lit
            && number.base10_digits() != "0"
        {
            self.found.push(format!("{} reads column {number}", self.file));
        }
        syn::visit::visit_expr_method_call(self, call);
    }
}

fn numbers(file: &str, source: &str) -> Vec<String> {
    let mut numbers = Numbers { file, found: Vec::new() };
    numbers.visit_file(&syn::parse_file(source).unwrap());
    numbers.found
}

/// Only a statement of one column is read by its place, which is 0.
#[test]
fn rows_are_read_by_name() {
    let mut found = Vec::new();
    for path in files("src/store", "rs") {
        if !shown(&path).ends_with("_tests.rs") {
            found.extend(numbers(&shown(&path), &std::fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_row_that_is_read_by_number_is_noticed() {
    let source =
        "fn f(row: &Row) { let a = row.get::<_, i64>(3)?; let b = row.get_ref(1); row.get(0); list.get(2); }";
    assert_eq!(numbers("x", source), ["x reads column 3", "x reads column 1"]);
}
