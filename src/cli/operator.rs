//! `sidelight operator`: those who run the appliance, from the host, also when none of them can sign in.

use std::path::PathBuf;
use std::process::ExitCode;

use argh::FromArgs;
use serde_json::json;

use super::host;

/// operators: list, create, password, clear-lockout, delete
///
/// An operator runs the whole appliance. Passwords come from --password-file, from SIDELIGHT_PASSWORD or the
/// file that SIDELIGHT_PASSWORD_FILE names, from
/// a prompt, or as a line of standard input; never as an argument.
#[derive(FromArgs)]
#[argh(
    subcommand,
    name = "operator",
    example = "{command_name} create olga\n{command_name} password olga --password-file new.txt"
)]
pub struct Operator {
    #[argh(subcommand)]
    act: Act,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Act {
    List(List),
    Create(Create),
    Password(Password),
    ClearLockout(ClearLockout),
    Delete(Delete),
}

/// list all operators
#[derive(FromArgs)]
#[argh(subcommand, name = "list")]
struct List {
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
    /// print JSON, for programs
    #[argh(switch)]
    json: bool,
}

/// make an operator
#[derive(FromArgs)]
#[argh(subcommand, name = "create")]
struct Create {
    /// the name to sign in with
    #[argh(positional)]
    name: String,
    /// file that holds the password, at least 9 characters
    #[argh(option)]
    password_file: Option<PathBuf>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// set an operator's password, let them in again, and end their sessions
#[derive(FromArgs)]
#[argh(subcommand, name = "password")]
struct Password {
    /// the operator's name
    #[argh(positional)]
    name: String,
    /// file that holds the password, at least 9 characters
    #[argh(option)]
    password_file: Option<PathBuf>,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// let an operator in again whom too many failures keep out
#[derive(FromArgs)]
#[argh(subcommand, name = "clear-lockout")]
struct ClearLockout {
    /// the operator's name
    #[argh(positional)]
    name: String,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

/// delete an operator; the last one stays
#[derive(FromArgs)]
#[argh(subcommand, name = "delete")]
struct Delete {
    /// the operator's name
    #[argh(positional)]
    name: String,
    /// data directory (default: the server's)
    #[argh(option)]
    data: Option<PathBuf>,
}

impl Operator {
    /// Does what was asked.
    pub fn run(self) -> ExitCode {
        match self.act {
            Act::List(command) => command.run(),
            Act::Create(command) => command.run(),
            Act::Password(command) => command.run(),
            Act::ClearLockout(command) => command.run(),
            Act::Delete(command) => command.run(),
        }
    }
}

impl List {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let operators = desk.operators(caller)?;
            if self.json {
                let all = operators.iter().map(|o| {
                    json!({
                        "name": o.name, "lockedUntil": o.locked_until.map(|t| t.to_string()),
                        "signedInAt": o.signed_in_at.map(|t| t.to_string()),
                        "createdAt": o.created_at.to_string(),
                    })
                });
                host::json(&all.collect());
                return Ok(());
            }
            let now = desk.clock.now();
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
            host::table(["OPERATOR", "LAST SIGN-IN", "LOCKED UNTIL"], &rows);
            Ok(())
        })
    }
}

impl Create {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let password = host::secret(self.password_file.as_deref(), "SIDELIGHT_PASSWORD", "Password")?;
            let operator = desk.create_operator(caller, &self.name, &password)?;
            println!("Operator {} is made.", operator.name);
            Ok(())
        })
    }
}

impl Password {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            let password = host::secret(self.password_file.as_deref(), "SIDELIGHT_PASSWORD", "New password")?;
            desk.set_operator_password(caller, &self.name, &password)?;
            println!("The password is set.");
            Ok(())
        })
    }
}

impl ClearLockout {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            desk.clear_operator_lockout(caller, &self.name)?;
            println!("The lockout is cleared.");
            Ok(())
        })
    }
}

impl Delete {
    fn run(self) -> ExitCode {
        host::with_desk(self.data, |desk, caller| {
            desk.delete_operator(caller, &self.name)?;
            println!("The operator is deleted.");
            Ok(())
        })
    }
}
