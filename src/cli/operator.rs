//! `sidelight operator`: those who run the appliance, from the host, also when none of them can sign in.

use std::process::ExitCode;

use argh::{ArgsInfo, FromArgs};
use serde_json::json;

use super::host::Host;
use super::secret_source::{SecretSource, secret_source};
use super::terminal::{self, confirm};
use crate::error::Result;
use crate::secret::Secret;

/// operators: list, create, password, clear-lockout, delete
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "operator",
    note = "An operator runs the whole appliance.",
    example = "{command_name} create olga\n{command_name} password olga --password-from file:new.txt"
)]
pub struct Operator {
    #[argh(subcommand)]
    act: OperatorAction,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum OperatorAction {
    List(List),
    Create(Create),
    Password(Password),
    ClearLockout(ClearLockout),
    Delete(Delete),
}

/// list all operators
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "list", example = "{command_name}")]
struct List {}

/// create an operator
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "create",
    note = "Without --password-from, the command asks for the password at a terminal; otherwise it reads one line of standard input.",
    example = "{command_name} olga\n{command_name} olga --password-from file:password.txt"
)]
struct Create {
    /// the operator's sign-in name
    #[argh(positional)]
    name: String,
    /// where the password comes from, at least 9 characters: env:NAME, file:PATH, - or prompt
    #[argh(option, from_str_fn(secret_source), arg_name = "source")]
    password_from: Option<SecretSource>,
}

/// set an operator's password, clear their lockout and end their sessions
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "password",
    note = "Without --password-from, the command asks for the password at a terminal; otherwise it reads one line of standard input.",
    example = "{command_name} olga\n{command_name} olga --password-from file:password.txt"
)]
struct Password {
    /// the operator's name
    #[argh(positional)]
    name: String,
    /// where the password comes from, at least 9 characters: env:NAME, file:PATH, - or prompt
    #[argh(option, from_str_fn(secret_source), arg_name = "source")]
    password_from: Option<SecretSource>,
}

/// unlock an operator who was locked out after too many failed sign-ins
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "clear-lockout", example = "{command_name} olga")]
struct ClearLockout {
    /// the operator's name
    #[argh(positional)]
    name: String,
}

/// delete an operator; the last one cannot be deleted
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "delete",
    note = "At a terminal, the command asks for confirmation.",
    example = "{command_name} olga\n{command_name} olga --yes"
)]
struct Delete {
    /// the operator's name
    #[argh(positional)]
    name: String,
    /// do not ask for confirmation
    #[argh(switch)]
    yes: bool,
}

impl Operator {
    /// Runs the subcommand.
    pub fn run(self, host: &Host) -> ExitCode {
        match self.act {
            OperatorAction::List(command) => command.run(host),
            OperatorAction::Create(command) => command.run(host),
            OperatorAction::Password(command) => command.run(host),
            OperatorAction::ClearLockout(command) => command.run(host),
            OperatorAction::Delete(command) => command.run(host),
        }
    }
}

impl List {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let operators = desk.appliance.operators(caller)?;
            if host.json {
                let all = operators.iter().map(|o| {
                    json!({
                        "name": o.name, "lockedUntil": o.locked_until.map(|t| t.to_string()),
                        "signedInAt": o.signed_in_at.map(|t| t.to_string()),
                        "createdAt": o.created_at.to_string(),
                    })
                });
                terminal::json(&all.collect());
                return Ok(());
            }
            let now = desk.clock().now();
            let rows: Vec<_> = operators
                .into_iter()
                .map(|o| {
                    let locked = o.locked_until.filter(|until| now < *until);
                    [
                        o.name,
                        o.signed_in_at.map(|t| t.to_string()).unwrap_or_default(),
                        locked.map(|t| t.to_string()).unwrap_or_default(),
                    ]
                })
                .collect();
            terminal::table(["OPERATOR", "LAST SIGN-IN", "LOCKED UNTIL"], &rows);
            Ok(())
        })
    }
}

impl Create {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let password = password(host, self.password_from, "Password")?;
            let operator = desk.appliance.create_operator(caller, &self.name, &password)?;
            let document = json!({ "name": operator.name, "createdAt": operator.created_at.to_string() });
            host.done(&document, format_args!("Operator {} is created.", operator.name));
            Ok(())
        })
    }
}

impl Password {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            let password = password(host, self.password_from, "New password")?;
            desk.appliance.set_operator_password(caller, &self.name, &password)?;
            let document = json!({ "name": self.name, "passwordSet": true });
            host.done(&document, format_args!("The password of {} is set.", self.name));
            Ok(())
        })
    }
}

impl ClearLockout {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            desk.appliance.clear_operator_lockout(caller, &self.name)?;
            let document = json!({ "name": self.name, "locked": false });
            host.done(&document, format_args!("The lockout of {} is cleared.", self.name));
            Ok(())
        })
    }
}

impl Delete {
    fn run(self, host: &Host) -> ExitCode {
        host.with_desk(|desk, caller| {
            confirm(
                self.yes,
                format_args!("This deletes the operator {} and ends their sessions.", self.name),
            )?;
            desk.appliance.delete_operator(caller, &self.name)?;
            let document = json!({ "name": self.name, "deleted": true });
            host.done(&document, format_args!("The operator {} is deleted.", self.name));
            Ok(())
        })
    }
}

fn password(host: &Host, from: Option<SecretSource>, what: &str) -> Result<Secret> {
    host.secret(&from.unwrap_or_else(SecretSource::of_this_process), what)
}
