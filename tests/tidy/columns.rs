//! Rows are read by the names of their columns.

use syn::spanned::Spanned;
use syn::visit::Visit;

use super::{files, shown};

/// The places at which a row is read by anything but a name: which file, which number.
struct Numbers<'f> {
    file: &'f str,
    found: Vec<String>,
    /// The parameters of closures around what is read that are declared as text, so that they can only be names.
    names: Vec<String>,
}

impl<'ast> Visit<'ast> for Numbers<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.ident != "tests" {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let outer = self.names.len();
        self.names.extend(closure.inputs.iter().filter_map(text_parameter));
        syn::visit::visit_expr_closure(self, closure);
        self.names.truncate(outer);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let is_read = call.method == "get" || call.method == "get_ref";
        let is_row = matches!(&*call.receiver, syn::Expr::Path(path) if path.path.is_ident("row"));
        if is_read
            && is_row
            && let Some(argument) = call.args.first()
            && !self.is_name(argument)
        {
            self.found.push(format!(
                "{} reads column {}",
                self.file,
                argument.span().source_text().unwrap_or_default()
            ));
        }
        syn::visit::visit_expr_method_call(self, call);
    }
}

impl Numbers<'_> {
    /// Whether a column is read by name: by text, by a constant of a table such as `column::MARK`, by a field such as
    /// `line.name`; or by 0, as the only column of its statement.
    fn is_name(&self, argument: &syn::Expr) -> bool {
        match argument {
            syn::Expr::Lit(literal) => match &literal.lit {
                syn::Lit::Str(_) => true,
                syn::Lit::Int(number) => number.base10_digits() == "0",
                _ => false,
            },
            syn::Expr::Path(path) => match path.path.get_ident() {
                Some(ident) => self.names.iter().any(|name| ident == name),
                None => true,
            },
            syn::Expr::Field(_) => true,
            _ => false,
        }
    }
}

/// The name of a parameter that is declared `&str`.
fn text_parameter(parameter: &syn::Pat) -> Option<String> {
    let syn::Pat::Type(typed) = parameter else { return None };
    match (&*typed.pat, &*typed.ty) {
        (syn::Pat::Ident(name), syn::Type::Reference(to)) if matches!(&*to.elem, syn::Type::Path(path) if path.path.is_ident("str")) => {
            Some(name.ident.to_string())
        }
        _ => None,
    }
}

fn numbers(file: &str, source: &str) -> Vec<String> {
    let mut numbers = Numbers { file, found: Vec::new(), names: Vec::new() };
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

#[test]
fn a_number_behind_a_closure_or_a_sum_is_noticed() {
    let source = "fn f(row: &Row) { let count = |at| row.get(at); let text = |name: &str| row.get(name); row.get(first + 1); \
                  row.get(line.name); row.get(column::MARK); }";
    assert_eq!(numbers("x", source), ["x reads column at", "x reads column first + 1"]);
}
