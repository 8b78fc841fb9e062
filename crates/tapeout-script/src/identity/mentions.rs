//! The names outside a function that its text mentions.

use std::collections::HashSet;

use starlark_syntax::syntax::ast::{
    AstExpr, AstNoPayload, AstParameter, AstStmt, ClauseP, DefP, ExprP, ForClauseP, StmtP,
};
use starlark_syntax::syntax::uniplate::Visit;

type Def = DefP<AstNoPayload>;

/// The free names of a function, each once, in the order in which they are mentioned.
pub(super) fn mentions(def: &Def) -> Vec<String> {
    let mut finder = Finder { scopes: Vec::new(), seen: HashSet::new(), found: Vec::new() };
    finder.def(def);
    finder.found
}

struct Finder<'a> {
    /// The names that are bound around the place that is looked at.
    scopes: Vec<HashSet<&'a str>>,
    seen: HashSet<&'a str>,
    found: Vec<String>,
}

impl<'a> Finder<'a> {
    fn name(&mut self, name: &'a str) {
        if !self.scopes.iter().any(|scope| scope.contains(name)) && self.seen.insert(name) {
            self.found.push(name.to_owned());
        }
    }

    fn def(&mut self, def: &'a Def) {
        self.params(&def.params);
        if let Some(kind) = &def.return_type {
            self.expr(&kind.expr);
        }
        let mut scope = param_names(&def.params);
        bound(&def.body, &mut scope);
        self.scopes.push(scope);
        self.stmt(&def.body);
        self.scopes.pop();
    }

    /// Types and defaults stand in the scope around the function.
    fn params(&mut self, params: &'a [AstParameter]) {
        for param in params {
            let (_, kind, default) = param.split();
            if let Some(kind) = kind {
                self.expr(&kind.expr);
            }
            if let Some(default) = default {
                self.expr(default);
            }
        }
    }

    fn stmt(&mut self, stmt: &'a AstStmt) {
        match &stmt.node {
            StmtP::Def(def) => self.def(def),
            other => other.visit_children(|child| match child {
                Visit::Stmt(stmt) => self.stmt(stmt),
                Visit::Expr(expr) => self.expr(expr),
            }),
        }
    }

    fn expr(&mut self, expr: &'a AstExpr) {
        match &expr.node {
            ExprP::Identifier(name) => self.name(&name.node.ident),
            ExprP::Lambda(lambda) => {
                self.params(&lambda.params);
                self.scopes.push(param_names(&lambda.params));
                self.expr(&lambda.body);
                self.scopes.pop();
            }
            ExprP::ListComprehension(item, first, clauses) => self.comprehension(&[item], first, clauses),
            ExprP::DictComprehension(item, first, clauses) => {
                self.comprehension(&[&item.0, &item.1], first, clauses);
            }
            other => other.visit_expr(|inner| self.expr(inner)),
        }
    }

    fn comprehension(
        &mut self,
        items: &[&'a AstExpr],
        first: &'a ForClauseP<AstNoPayload>,
        clauses: &'a [ClauseP<AstNoPayload>],
    ) {
        // The first sequence is looked up outside.
        self.expr(&first.over);
        let mut scope = HashSet::new();
        first.var.visit_lvalue(|name| _ = scope.insert(name.node.ident.as_str()));
        for clause in clauses {
            if let ClauseP::For(clause) = clause {
                clause.var.visit_lvalue(|name| _ = scope.insert(name.node.ident.as_str()));
            }
        }
        self.scopes.push(scope);
        first.var.visit_expr(|inner| self.expr(inner));
        for clause in clauses {
            clause.visit_expr(|inner| self.expr(inner));
        }
        for item in items {
            self.expr(item);
        }
        self.scopes.pop();
    }
}

fn param_names(params: &[AstParameter]) -> HashSet<&str> {
    params.iter().filter_map(|param| Some(param.ident()?.node.ident.as_str())).collect()
}

/// The names that statements bind in their own function.
pub(super) fn bound<'a>(stmt: &'a AstStmt, names: &mut HashSet<&'a str>) {
    match &stmt.node {
        StmtP::Assign(assign) => assign.lhs.visit_lvalue(|name| _ = names.insert(name.node.ident.as_str())),
        StmtP::AssignModify(target, _, _) => target.visit_lvalue(|name| _ = names.insert(name.node.ident.as_str())),
        StmtP::For(each) => {
            each.var.visit_lvalue(|name| _ = names.insert(name.node.ident.as_str()));
            bound(&each.body, names);
        }
        StmtP::Def(def) => _ = names.insert(def.name.node.ident.as_str()),
        other => other.visit_stmt(|inner| bound(inner, names)),
    }
}
