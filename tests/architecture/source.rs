//! What a source says that the rules are about: paths, calls, fields and attributes, each with its line.
//!
//! Paths are made absolute, through `use`, `self`, `super` and what a parent imports for its children. The body of a
//! macro call is read token by token: `tracing::info!(x = engine::name())` names `engine` as well.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{
    Attribute, Expr, FnArg, Item, ItemMod, Meta, Pat, Signature, Type, TypeParamBound, UseTree,
    spanned::Spanned as _,
    visit::{self, Visit},
};

pub(crate) struct Source {
    pub(crate) file: String,
    /// `discord::render::status`; `main` is the program's own.
    pub(crate) module: String,
    pub(crate) facts: Vec<Fact>,
}

pub(crate) struct Fact {
    pub(crate) line: usize,
    pub(crate) what: What,
    /// The function it stands in, as `Work::stop` or `serve`.
    pub(crate) function: String,
    /// Its function took a `TargetGuard` before, was given one, or is a method of what holds one.
    pub(crate) guarded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// `crate::engine::LogLine`, `tokio::spawn`.
    Path(String),
    /// `async fn`, an `async` block or `.await`.
    Async,
    /// `receiver.method(…)`, with the last name of the receiver.
    Call { on: String, method: String },
    /// `base.name`, with the last name of the base.
    Field { of: String, name: String },
    /// `#[allow(…)]`
    Allow,
    /// `cfg` or `cfg_attr` of tests on anything but a module.
    TestSeam,
    /// An engine that goes by another name, so that calls on it would not be seen.
    HiddenEngine(String),
}

/// Names that one module brings in for itself and its children.
#[derive(Default)]
struct Scope {
    children: BTreeSet<String>,
    uses: BTreeMap<String, Vec<String>>,
}

#[derive(Default)]
struct Names {
    scopes: BTreeMap<Vec<String>, Scope>,
    /// Types that have a `TargetGuard`.
    holders: BTreeSet<String>,
    /// Files that only tests consist of.
    tests: BTreeSet<Vec<String>>,
}

/// Every source below `folder`, but for test modules.
pub(crate) fn read(folder: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    collect(folder, folder, &mut files);
    assert!(!files.is_empty(), "no sources in {}", folder.display());
    parse(&files)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Sources by name, such as `domain/agent.rs`.
pub(crate) fn parse(files: &[(String, String)]) -> Vec<Source> {
    let parsed: Vec<(&String, Vec<String>, syn::File)> = files
        .iter()
        .map(|(name, text)| {
            let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, module_of(name), file)
        })
        .collect();
    let mut names = Names::default();
    for (_, module, file) in &parsed {
        names.learn(module, &file.items);
    }
    let shipped = parsed
        .iter()
        .filter(|(_, module, _)| !names.tests.iter().any(|test| module.starts_with(test)));
    shipped
        .map(|(name, module, file)| {
            let mut reader = Reader::new(&names, module.clone());
            reader.visit_file(file);
            Source {
                file: (*name).clone(),
                module: module.join("::"),
                facts: reader.facts,
            }
        })
        .collect()
}

fn module_of(file: &str) -> Vec<String> {
    let path = file.strip_suffix(".rs").unwrap();
    let path = path.strip_suffix("/mod").unwrap_or(path);
    match path {
        "lib" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

impl Names {
    fn learn(&mut self, module: &[String], items: &[Item]) {
        self.scopes.entry(module.to_vec()).or_default();
        for item in items {
            match item {
                Item::Mod(child) => {
                    let mut path = module.to_vec();
                    path.push(child.ident.to_string());
                    if child.attrs.iter().any(is_of_tests) {
                        self.tests.insert(path);
                        continue;
                    }
                    let scope = self.scopes.entry(module.to_vec()).or_default();
                    scope.children.insert(child.ident.to_string());
                    if let Some((_, items)) = &child.content {
                        self.learn(&path, items);
                    }
                }
                Item::Struct(holder) => {
                    let mut guard = GuardFinder::default();
                    guard.visit_fields(&holder.fields);
                    if guard.first.is_some() {
                        self.holders.insert(holder.ident.to_string());
                    }
                }
                _ => {}
            }
            let mut finder = UseFinder::default();
            finder.visit_item(item);
            let scope = self.scopes.entry(module.to_vec()).or_default();
            scope.uses.extend(finder.uses);
        }
    }

    /// Absolute, beginning with `crate` or the name of another crate; None for a name of the place itself.
    fn resolve(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut path = self.step(module, path)?;
        // What a module imports for itself is visible to its children: follow it to where it comes from.
        for _ in 0..16 {
            let Some(further) = self.follow(&path) else {
                break;
            };
            path = further;
        }
        Some(path)
    }

    fn step(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let below = |base: &[String]| {
            let mut whole = vec!["crate".to_owned()];
            whole.extend(base.iter().chain(rest).cloned());
            whole
        };
        let scope = self.scopes.get(module);
        match first.as_str() {
            "crate" | "yardarm" => Some(below(&[])),
            "self" => Some(below(module)),
            "super" => {
                let (_, parent) = module.split_last()?;
                let rest: Vec<String> = std::iter::once("self".to_owned())
                    .chain(rest.iter().cloned())
                    .collect();
                let rest = match rest.get(1).map(String::as_str) {
                    Some("super") => rest.get(1..)?,
                    _ => &rest,
                };
                self.step(parent, rest)
            }
            "Self" => None,
            name if scope.is_some_and(|scope| scope.children.contains(name)) => {
                let mut base = module.to_vec();
                base.push(name.to_owned());
                Some(below(&base))
            }
            name => match scope.and_then(|scope| scope.uses.get(name)) {
                Some(target) if target.as_slice() != std::slice::from_ref(first) => {
                    let whole: Vec<String> = target.iter().chain(rest).cloned().collect();
                    self.step_out(module, &whole)
                }
                None if rest.is_empty() => None,
                _ => Some(path.to_vec()),
            },
        }
    }

    /// The target of a `use`. Its own first name may be that of another `use`, but never of itself.
    fn step_out(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let first = path.first()?;
        let scope = self.scopes.get(module);
        let is_use = scope.is_some_and(|scope| scope.uses.contains_key(first));
        let is_child = scope.is_some_and(|scope| scope.children.contains(first));
        match first.as_str() {
            "crate" | "yardarm" | "self" | "super" => self.step(module, path),
            _ if is_child && !is_use => self.step(module, path),
            _ => Some(path.to_vec()),
        }
    }

    fn follow(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, inside) = path.split_first()?;
        if first != "crate" {
            return None;
        }
        let depth = (0..inside.len())
            .rev()
            .find(|depth| self.scopes.contains_key(&inside[..*depth]))?;
        let (module, rest) = inside.split_at(depth);
        let target = self.scopes.get(module)?.uses.get(rest.first()?)?;
        let whole: Vec<String> = target.iter().chain(&rest[1..]).cloned().collect();
        let further = self.step_out(module, &whole)?;
        (further != path).then_some(further)
    }
}

/// The names that `use` brings in, except `pub use`: what a module gives away is its own.
#[derive(Default)]
struct UseFinder {
    uses: BTreeMap<String, Vec<String>>,
}

impl<'ast> Visit<'ast> for UseFinder {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if matches!(item.vis, syn::Visibility::Inherited) {
            for leaf in leaves(&item.tree, &[]) {
                self.uses.insert(leaf.name, leaf.path);
            }
        }
    }

    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}
}

struct Leaf {
    name: String,
    path: Vec<String>,
    line: usize,
}

fn leaves(tree: &UseTree, before: &[String]) -> Vec<Leaf> {
    let with = |name: &syn::Ident| {
        let mut path = before.to_vec();
        if name != "self" || before.is_empty() {
            path.push(name.to_string());
        }
        path
    };
    let leaf = |name: String, path: Vec<String>, line: usize| vec![Leaf { name, path, line }];
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &with(&path.ident)),
        UseTree::Name(name) => {
            let path = with(&name.ident);
            leaf(
                path.last().cloned().unwrap_or_default(),
                path,
                name.span().start().line,
            )
        }
        UseTree::Rename(rename) => leaf(
            rename.rename.to_string(),
            with(&rename.ident),
            rename.span().start().line,
        ),
        UseTree::Glob(glob) => leaf("*".to_owned(), before.to_vec(), glob.span().start().line),
        UseTree::Group(group) => group
            .items
            .iter()
            .flat_map(|tree| leaves(tree, before))
            .collect(),
    }
}

/// Looks for the proof that a target is locked, and the line where it is first there.
#[derive(Default)]
struct GuardFinder {
    first: Option<usize>,
}

impl GuardFinder {
    fn note(&mut self, line: usize) {
        self.first = Some(self.first.map_or(line, |first| first.min(line)));
    }
}

impl<'ast> Visit<'ast> for GuardFinder {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments.any(|segment| segment.ident == "TargetGuard") {
            self.note(path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let locks = call.method == "lock" || call.method == "try_lock";
        if locks && last_name(&call.receiver) == "locks" {
            self.note(call.method.span().start().line);
        }
        visit::visit_expr_method_call(self, call);
    }
}

struct Function {
    name: String,
    /// The line from which on it has a guard.
    guarded_from: Option<usize>,
}

struct Reader<'a> {
    names: &'a Names,
    module: Vec<String>,
    /// The type whose `impl` we are in.
    of: Option<String>,
    functions: Vec<Function>,
    facts: Vec<Fact>,
}

impl<'a> Reader<'a> {
    fn new(names: &'a Names, module: Vec<String>) -> Self {
        Self {
            names,
            module,
            of: None,
            functions: Vec::new(),
            facts: Vec::new(),
        }
    }

    fn note(&mut self, line: usize, what: What) {
        let function = self.functions.last();
        self.facts.push(Fact {
            line,
            what,
            function: function.map_or_else(String::new, |function| function.name.clone()),
            guarded: function
                .and_then(|function| function.guarded_from)
                .is_some_and(|first| first <= line),
        });
    }

    fn note_path(&mut self, line: usize, path: &[String]) {
        if let Some(absolute) = self.names.resolve(&self.module, path) {
            self.note(line, What::Path(absolute.join("::")));
        }
    }

    /// What a macro is called with is no syntax tree: its tokens are read as they come.
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let mut before = String::new();
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Group(group) => {
                    if group.delimiter() == Delimiter::Bracket
                        && is_punct(at.checked_sub(1).and_then(|at| tokens.get(at)), '#')
                        && first_word(group.stream()) == "allow"
                    {
                        self.note(group.span().start().line, What::Allow);
                    }
                    self.scan(group.stream());
                }
                TokenTree::Ident(ident) => {
                    let dotted = is_punct(at.checked_sub(1).and_then(|at| tokens.get(at)), '.');
                    let (path, next) = path_at(&tokens, at);
                    let line = ident.span().start().line;
                    let last = path.last().cloned().unwrap_or_default();
                    if last == "await" || last == "async" {
                        self.note(line, What::Async);
                    } else if dotted {
                        let of = before.clone();
                        self.note(
                            line,
                            if is_call(tokens.get(next)) {
                                What::Call {
                                    on: of,
                                    method: last.clone(),
                                }
                            } else {
                                What::Field {
                                    of,
                                    name: last.clone(),
                                }
                            },
                        );
                    } else {
                        self.note_path(line, &path);
                    }
                    before = last;
                    at = next;
                    continue;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }

    fn in_function(
        &mut self,
        signature: &Signature,
        body: Option<&syn::Block>,
        visit: impl FnOnce(&mut Self),
    ) {
        let mut guard = GuardFinder::default();
        guard.visit_signature(signature);
        if let Some(body) = body {
            guard.visit_block(body);
        }
        let of = self.of.clone();
        let held = of
            .as_ref()
            .is_some_and(|of| self.names.holders.contains(of));
        if held {
            guard.note(0);
        }
        let name = signature.ident.to_string();
        self.functions.push(Function {
            name: of.map_or_else(|| name.clone(), |of| format!("{of}::{name}")),
            guarded_from: guard.first,
        });
        if signature.asyncness.is_some() {
            self.note(signature.span().start().line, What::Async);
        }
        visit(self);
        self.functions.pop();
    }

    fn check_name(&mut self, line: usize, name: &str) {
        if name != "engine" {
            self.note(line, What::HiddenEngine(name.to_owned()));
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.attrs.iter().any(is_of_tests) {
            return;
        }
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        for leaf in leaves(&item.tree, &[]) {
            if let Some(path) = self.names.step_out(&self.module, &leaf.path) {
                let path = self.names.follow(&path).unwrap_or(path);
                self.note(leaf.line, What::Path(path.join("::")));
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.note_path(path.span().start().line, &segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let line = call.path.span().start().line;
        if call.path.is_ident("cfg") && mentions(call.tokens.clone(), "test") {
            self.note(line, What::TestSeam);
        }
        self.visit_path(&call.path);
        self.scan(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let line = attribute.span().start().line;
        if is_of_tests(attribute) {
            self.note(line, What::TestSeam);
        }
        let hides_allow = attribute.path().is_ident("cfg_attr")
            && matches!(&attribute.meta, Meta::List(list) if mentions(list.tokens.clone(), "allow"));
        if attribute.path().is_ident("allow") || hides_allow {
            self.note(line, What::Allow);
        }
        self.visit_path(attribute.path());
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outer = self.of.replace(type_name(&item.self_ty));
        visit::visit_item_impl(self, item);
        self.of = outer;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.in_function(&item.sig, Some(&item.block), |reader| {
            visit::visit_item_fn(reader, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.in_function(&item.sig, Some(&item.block), |reader| {
            visit::visit_impl_item_fn(reader, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.in_function(&item.sig, item.default.as_ref(), |reader| {
            visit::visit_trait_item_fn(reader, item);
        });
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.note(block.span().start().line, What::Async);
        visit::visit_expr_async(self, block);
    }

    fn visit_expr_await(&mut self, expression: &'ast syn::ExprAwait) {
        self.note(expression.span().start().line, What::Async);
        visit::visit_expr_await(self, expression);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let what = What::Call {
            on: last_name(&call.receiver),
            method: call.method.to_string(),
        };
        self.note(call.method.span().start().line, what);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_field(&mut self, field: &'ast syn::ExprField) {
        if let syn::Member::Named(name) = &field.member {
            let what = What::Field {
                of: last_name(&field.base),
                name: name.to_string(),
            };
            self.note(name.span().start().line, what);
        }
        visit::visit_expr_field(self, field);
    }

    fn visit_fn_arg(&mut self, argument: &'ast FnArg) {
        if let FnArg::Typed(typed) = argument
            && is_engine(&typed.ty)
            && let Pat::Ident(pattern) = &*typed.pat
        {
            self.check_name(pattern.span().start().line, &pattern.ident.to_string());
        }
        visit::visit_fn_arg(self, argument);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if is_engine(&field.ty)
            && let Some(name) = &field.ident
        {
            self.check_name(name.span().start().line, &name.to_string());
        }
        visit::visit_field(self, field);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let (Pat::Ident(pattern), Some(init)) = (&local.pat, &local.init)
            && names_engine(&init.expr)
        {
            self.check_name(pattern.span().start().line, &pattern.ident.to_string());
        }
        visit::visit_local(self, local);
    }
}

fn is_of_tests(attribute: &Attribute) -> bool {
    let conditional = attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr");
    conditional
        && matches!(&attribute.meta, Meta::List(list) if mentions(list.tokens.clone(), "test"))
}

fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        _ => false,
    })
}

fn first_word(tokens: TokenStream) -> String {
    match tokens.into_iter().next() {
        Some(TokenTree::Ident(ident)) => ident.to_string(),
        _ => String::new(),
    }
}

/// `a::b::c` from `at` on, and where it ends.
fn path_at(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
        path.push(ident.to_string());
        at += 1;
        let goes_on = is_punct(tokens.get(at), ':')
            && is_punct(tokens.get(at + 1), ':')
            && matches!(tokens.get(at + 2), Some(TokenTree::Ident(_)));
        if !goes_on {
            break;
        }
        at += 2;
    }
    (path, at)
}

fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_call(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

/// `engine` of `self.ops.engine`, of `ops.engine()` and of `&engine`.
fn last_name(expression: &Expr) -> String {
    match expression {
        Expr::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default(),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => name.to_string(),
            syn::Member::Unnamed(_) => String::new(),
        },
        Expr::MethodCall(call) => call.method.to_string(),
        Expr::Reference(reference) => last_name(&reference.expr),
        Expr::Unary(unary) => last_name(&unary.expr),
        Expr::Paren(paren) => last_name(&paren.expr),
        Expr::Try(tried) => last_name(&tried.expr),
        _ => String::new(),
    }
}

/// `ops.engine`, borrowed or cloned.
fn names_engine(expression: &Expr) -> bool {
    match expression {
        Expr::MethodCall(call) => call.method == "clone" && names_engine(&call.receiver),
        Expr::Call(call) => last_name(&call.func) == "clone" && call.args.iter().any(names_engine),
        Expr::Field(_) | Expr::Reference(_) | Expr::Path(_) => last_name(expression) == "engine",
        _ => false,
    }
}

fn type_name(of: &Type) -> String {
    match of {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// `&dyn Engine`, `Arc<dyn Engine>`, `impl Engine`.
fn is_engine(of: &Type) -> bool {
    #[derive(Default)]
    struct Finder(bool);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_type_param_bound(&mut self, bound: &'ast TypeParamBound) {
            if let TypeParamBound::Trait(bound) = bound {
                let last = bound.path.segments.last();
                self.0 |= last.is_some_and(|segment| segment.ident == "Engine");
            }
        }
    }
    let mut finder = Finder::default();
    finder.visit_type(of);
    finder.0
}
