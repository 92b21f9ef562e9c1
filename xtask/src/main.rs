//! Tasks of this workspace.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod binary;
mod command;
mod demo;
mod fuzz;
mod lint;
mod mutants;
mod soak;
mod spec;
mod tally;
mod target;
mod test;
mod vm;

/// Tasks of this workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Demo(demo::Arguments),
    Test(test::Arguments),
    Lint(lint::Arguments),
    Spec(spec::Arguments),
    Fuzz(fuzz::Arguments),
    Mutants(mutants::Arguments),
    Soak(soak::Arguments),
    Bench(bench::Arguments),
    Vm(vm::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Demo(arguments) => demo::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::Lint(arguments) => lint::run(&arguments),
        Task::Spec(arguments) => spec::run(&arguments),
        Task::Fuzz(arguments) => fuzz::run(&arguments),
        Task::Mutants(arguments) => mutants::run(&arguments),
        Task::Soak(arguments) => soak::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Vm(arguments) => vm::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
