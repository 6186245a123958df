//! Reads sources into a tree of modules: what each module declares, imports and mentions.
//!
//! Every file is read whole, test code included, with `syn`. Names that a function imports for itself count for its
//! whole module: that can only find more than there is, never less.

use std::collections::{BTreeMap, HashMap};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Sources by their path, such as `src/desk/mod.rs`.
pub type Sources = BTreeMap<String, String>;

/// All modules of one crate, by path: the crate's root is the empty path.
pub struct Tree {
    pub modules: HashMap<Vec<String>, Module>,
    /// Files that could not be read, and constructs that would hide code from the reader.
    pub unreadable: Vec<String>,
}

/// One module, in a file of its own or inside another's.
#[derive(Default)]
pub struct Module {
    pub file: String,
    pub names: HashMap<String, Vec<Meaning>>,
    /// Paths that are imported with `*`.
    pub globs: Vec<Vec<String>>,
    pub mentions: Vec<Mention>,
}

/// What a name means in a module.
#[derive(Clone, PartialEq, Eq)]
pub enum Meaning {
    ChildModule,
    Item,
    /// An import, possibly under another name.
    Import(Vec<String>),
}

/// A path as it is written somewhere.
#[derive(Clone)]
pub struct Mention {
    /// Starts with "" where it is written with a leading `::`.
    pub segments: Vec<String>,
    pub line: usize,
    /// Inside `#[cfg(test)]` or `#[test]`.
    pub in_test: bool,
}

impl Tree {
    /// Reads the crate whose root is `root`, such as `src/lib.rs`.
    pub fn read(sources: &Sources, root: &str) -> Tree {
        let mut tree = Tree { modules: HashMap::new(), unreadable: Vec::new() };
        tree.read_file(sources, root, Vec::new(), false, true);
        tree
    }

    fn read_file(
        &mut self,
        sources: &Sources,
        file: &str,
        path: Vec<String>,
        in_test: bool,
        owns_folder: bool,
    ) {
        let Some(Ok(parsed)) = sources.get(file).map(|text| syn::parse_file(text)) else {
            self.unreadable.push(format!("{file} is not there or is not Rust"));
            return;
        };
        let module = Module { file: file.to_owned(), ..Module::default() };
        self.modules.insert(path.clone(), module);
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        let stem = name.trim_end_matches(".rs");
        let children_in =
            if owns_folder || stem == "mod" { folder.to_owned() } else { format!("{folder}/{stem}") };
        let mut reader = Reader {
            tree: self,
            sources,
            file: file.to_owned(),
            folder: folder.to_owned(),
            children_in,
            path,
            in_test,
        };
        reader.visit_file(&parsed);
    }
}

struct Reader<'t> {
    tree: &'t mut Tree,
    sources: &'t Sources,
    file: String,
    /// Of the file, for `#[path]`.
    folder: String,
    /// Where child modules in files of their own are looked for.
    children_in: String,
    path: Vec<String>,
    in_test: bool,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        self.tree.modules.entry(self.path.clone()).or_default()
    }

    fn name(&mut self, name: impl ToString, meaning: Meaning) {
        self.module().names.entry(name.to_string()).or_default().push(meaning);
    }

    fn mention(&mut self, segments: Vec<String>, line: usize) {
        let in_test = self.in_test;
        self.module().mentions.push(Mention { segments, line, in_test });
    }

    fn import(&mut self, tree: &syn::UseTree, before: &[String]) {
        let mut path = before.to_vec();
        match tree {
            syn::UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.import(&part.tree, &path);
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.import(item, before)),
            syn::UseTree::Glob(star) => {
                self.mention(path.clone(), star.span().start().line);
                self.module().globs.push(path);
            }
            syn::UseTree::Name(part) => self.import_as(path, &part.ident, &part.ident),
            syn::UseTree::Rename(part) => self.import_as(path, &part.ident, &part.rename),
        }
    }

    fn import_as(&mut self, mut path: Vec<String>, last: &syn::Ident, name: &syn::Ident) {
        // `use a::{self}` imports `a`.
        let own = last == "self" && !path.is_empty();
        let shown = if own && name == "self" { path.last().cloned() } else { Some(name.to_string()) };
        if !own {
            path.push(last.to_string());
        }
        self.mention(path.clone(), last.span().start().line);
        if let Some(shown) = shown.filter(|shown| shown != "_") {
            self.name(shown, Meaning::Import(path));
        }
    }

    fn child(&mut self, item: &syn::ItemMod) {
        let name = item.ident.to_string();
        self.name(&name, Meaning::ChildModule);
        let mut path = self.path.clone();
        path.push(name.clone());
        let outer = (self.path.clone(), self.children_in.clone(), self.in_test);
        self.in_test |= is_test(&item.attrs);
        match &item.content {
            Some((_, items)) => {
                self.tree
                    .modules
                    .insert(path.clone(), Module { file: self.file.clone(), ..Module::default() });
                self.path = path;
                self.children_in = format!("{}/{name}", self.children_in);
                items.iter().for_each(|item| self.visit_item(item));
            }
            None => {
                let file = match path_attribute(&item.attrs) {
                    Some(elsewhere) => format!("{}/{elsewhere}", self.folder),
                    None => {
                        let folder = &self.children_in;
                        let (beside, inside) =
                            (format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs"));
                        if self.sources.contains_key(&inside) { inside } else { beside }
                    }
                };
                self.tree.read_file(self.sources, &file, path, self.in_test, false);
            }
        }
        (self.path, self.children_in, self.in_test) = outer;
    }

    fn qualified(&mut self, of: Option<&syn::QSelf>, path: &syn::Path) {
        let Some(of) = of else { return self.visit_path(path) };
        self.visit_type(&of.ty);
        if of.position > 0 {
            let of_trait = segments_of(path).into_iter().take(of.position).collect();
            self.mention(of_trait, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    /// Finds paths among tokens that have no syntax tree: arguments of macros and attributes, bodies of
    /// `macro_rules!`.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Group(group) => {
                    self.tokens(group.stream());
                    at += 1;
                }
                TokenTree::Literal(literal) => {
                    self.path_in_text(literal);
                    at += 1;
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {
                    // `a.b` names a field, and `Vec::<u8>::new` goes on with a type.
                    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
                    let is_field = is_punct(before, '.') || is_punct(before, '>');
                    let (length, paths) = paths_at(&tokens[at..], &[]);
                    if !is_field {
                        let line = token.span().start().line;
                        paths.into_iter().for_each(|path| self.mention(path, line));
                    }
                    at += length.max(1);
                }
            }
        }
    }

    /// Attributes such as `#[serde(with = "a::b")]` name paths in text.
    fn path_in_text(&mut self, literal: &proc_macro2::Literal) {
        let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) else { return };
        let Ok(path) = text.parse::<syn::Path>() else { return };
        if path.segments.len() > 1 {
            self.mention(segments_of(&path), literal.span().start().line);
        }
    }

    fn within(&mut self, attributes: &[syn::Attribute], inside: impl FnOnce(&mut Self)) {
        let outer = self.in_test;
        self.in_test |= is_test(attributes);
        inside(self);
        self.in_test = outer;
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let name = match item {
            syn::Item::Const(it) => Some(&it.ident),
            syn::Item::Enum(it) => Some(&it.ident),
            syn::Item::Fn(it) => Some(&it.sig.ident),
            syn::Item::Static(it) => Some(&it.ident),
            syn::Item::Struct(it) => Some(&it.ident),
            syn::Item::Trait(it) => Some(&it.ident),
            syn::Item::TraitAlias(it) => Some(&it.ident),
            syn::Item::Type(it) => Some(&it.ident),
            syn::Item::Union(it) => Some(&it.ident),
            syn::Item::Macro(it) => it.ident.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.name(name, Meaning::Item);
        }
        if let syn::Item::ExternCrate(it) = item {
            let shown = it.rename.as_ref().map_or(&it.ident, |(_, name)| name);
            let target = if it.ident == "self" { "crate".to_owned() } else { it.ident.to_string() };
            self.name(shown, Meaning::Import(vec![target]));
        }
        match item {
            syn::Item::Fn(it) => self.within(&it.attrs, |reader| visit::visit_item(reader, item)),
            syn::Item::Impl(it) => self.within(&it.attrs, |reader| visit::visit_item(reader, item)),
            syn::Item::Use(it) => self.within(&it.attrs, |reader| visit::visit_item(reader, item)),
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        self.child(item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let start = if item.leading_colon.is_some() { vec![String::new()] } else { Vec::new() };
        self.import(&item.tree, &start);
    }

    // `pub(in a::b)` says who may come, and reaches for nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.mention(segments_of(path), path.span().start().line);
        visit::visit_path(self, path);
    }

    // `<[u8]>::len` begins with a type, not with a crate; in `<T as a::B>::c` the path of the trait counts.
    fn visit_expr_path(&mut self, it: &'ast syn::ExprPath) {
        self.qualified(it.qself.as_ref(), &it.path);
    }

    fn visit_type_path(&mut self, it: &'ast syn::TypePath) {
        self.qualified(it.qself.as_ref(), &it.path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.is_ident("include") {
            self.tree.unreadable.push(format!("{} hides code behind include!", self.file));
        }
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        match &attribute.meta {
            syn::Meta::List(list) => self.tokens(list.tokens.clone()),
            syn::Meta::NameValue(pair) if !pair.path.is_ident("doc") => visit::visit_expr(self, &pair.value),
            _ => {}
        }
        if !attribute.path().is_ident("doc") {
            self.visit_path(attribute.path());
        }
    }
}

/// The paths that begin with the first of `tokens`, behind `before`, and how many tokens they take. `a::{b, c}`
/// is two paths.
fn paths_at(tokens: &[TokenTree], before: &[String]) -> (usize, Vec<Vec<String>>) {
    let mut path = before.to_vec();
    let mut at = 0;
    if path.is_empty() && is_double_colon(tokens) {
        path.push(String::new());
        at = 2;
    }
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => path.push(ident.to_string()),
            Some(TokenTree::Group(group))
                if group.delimiter() == Delimiter::Brace && path.len() > before.len() =>
            {
                return (at + 1, paths_in_braces(group.stream(), &path));
            }
            _ => break,
        }
        at += 1;
        if !is_double_colon(&tokens[at..]) {
            break;
        }
        at += 2;
    }
    let found = path.len() > before.len() && path.iter().any(|segment| !segment.is_empty());
    (at, if found { vec![path] } else { Vec::new() })
}

fn paths_in_braces(tokens: TokenStream, before: &[String]) -> Vec<Vec<String>> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut paths = Vec::new();
    for part in tokens.split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ',')) {
        let mut here = before.to_vec();
        let mut at = 0;
        while let Some(TokenTree::Ident(ident)) = part.get(at) {
            here.push(ident.to_string());
            at += 1;
            if !is_double_colon(&part[at..]) {
                break;
            }
            at += 2;
            if let Some(TokenTree::Group(group)) = part.get(at) {
                paths.extend(paths_in_braces(group.stream(), &here));
            }
        }
        paths.push(here);
    }
    paths
}

fn is_double_colon(tokens: &[TokenTree]) -> bool {
    matches!(tokens.first(), Some(TokenTree::Punct(p)) if p.as_char() == ':' && p.spacing() == Spacing::Joint)
        && is_punct(tokens.get(1), ':')
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == character)
}

fn segments_of(path: &syn::Path) -> Vec<String> {
    let start = path.leading_colon.map(|_| String::new());
    start.into_iter().chain(path.segments.iter().map(|segment| segment.ident.to_string())).collect()
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test")))
    })
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find(|attribute| attribute.path().is_ident("path")).and_then(|attribute| {
        match &attribute.meta {
            syn::Meta::NameValue(pair) => match &pair.value {
                syn::Expr::Lit(literal) => match &literal.lit {
                    syn::Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    })
}
