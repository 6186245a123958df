//! `sidelight lab`: what the lab can do to an integration.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::{Value, json};

use super::host::Host;
use super::terminal::{self, say};
use crate::error::Error;
use crate::protocol::forge::{Family, Recipe, TABLE, named, recipes};

/// the lab: the faults of an identity provider, by name
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "lab",
    note = "Tests use these faults to check whether a SAML service provider refuses forged and damaged responses.",
    example = "{command_name} recipes\n{command_name} recipes xsw3"
)]
pub struct Lab {
    #[argh(subcommand)]
    act: LabAction,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum LabAction {
    Recipes(Recipes),
}

/// list the known faults, or explain one
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "recipes",
    note = "For each fault: what it does, where it was seen, how Sidelight refuses it, how to repair a service provider that accepts it, and what that service provider must have.",
    example = "{command_name}\n{command_name} xsw3\n{command_name} --json"
)]
struct Recipes {
    /// the name of a fault, to see all about it
    #[argh(positional)]
    name: Option<String>,
}

impl Lab {
    /// Carries the command out.
    pub fn run(self, host: &Host) -> ExitCode {
        let LabAction::Recipes(Recipes { name }) = self.act;
        let Some(name) = name else {
            if host.json {
                let all = TABLE
                    .iter()
                    .flat_map(|(family, recipes)| recipes.iter().map(|one| document(*family, one)));
                terminal::json(&all.collect());
            } else {
                list();
            }
            return ExitCode::SUCCESS;
        };
        let Some((family, found)) = named(&name) else {
            let public = format!("There is no fault named {name}. See all: sidelight lab recipes");
            return host.refused(&Error::not_found("recipe_unknown", public));
        };
        if host.json {
            terminal::json(&document(family, found))
        } else {
            explain(family, found)
        }
        ExitCode::SUCCESS
    }
}

fn list() {
    for (family, recipes) in TABLE {
        say(format_args!("{}", family.name()));
        for recipe in *recipes {
            say(format_args!("  {:36} {}", recipe.name, recipe.sentence));
        }
        say(format_args!(""));
    }
    say(format_args!("{} faults. All about one: sidelight lab recipes NAME", recipes().count()));
}

fn explain(family: Family, recipe: &Recipe) {
    say(format_args!("{} ({})", recipe.name, family.name()));
    say(format_args!("  What it does   {}", recipe.sentence));
    say(format_args!("  Seen in        {}", recipe.source));
    say(format_args!("  Sidelight      refuses it with {}", recipe.reject));
    say(format_args!("  Repair         {}", family.repair()));
    say(format_args!("  For            {}", recipe.needs.sentence()));
}

fn document(family: Family, recipe: &Recipe) -> Value {
    json!({
        "name": recipe.name,
        "family": family.name(),
        "sentence": recipe.sentence,
        "source": recipe.source,
        "reject": recipe.reject,
        "repair": family.repair(),
        "needs": recipe.needs.sentence(),
    })
}
