//! The chain from a Rust program to a script: cargo, wasm-bindgen, Binaryen, esbuild.
//!
//! Owns every flag of the chain and what may not be in its result. Must not know what the programs do, nor where the
//! results end up. Each stage's reason: docs/adr.

use crate::{process, setup};
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One of the programs the plugin consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The program in Figma's sandbox, with or without Real-Time Sync.
    Sandbox { sync: bool },
    /// The panel, in the form its host allows.
    Ui(Form),
    /// The reader and writer of files that runs beside the panel, in the same form.
    Files(Form),
    /// The panel that draws the states its tests give it.
    Gallery,
}

/// How a program reaches its host.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// WebAssembly whose bytes stand in the script.
    Wasm,
    /// WebAssembly translated to JavaScript.
    Script,
}

impl Program {
    fn binary(self) -> &'static str {
        match self {
            Program::Sandbox { .. } => "sandbox",
            Program::Ui(_) | Program::Gallery => "ui",
            Program::Files(_) => "files",
        }
    }

    fn features(self) -> &'static str {
        match self {
            Program::Sandbox { sync: true } => "sandbox,sync",
            Program::Sandbox { sync: false } => "sandbox",
            Program::Ui(_) => "ui",
            Program::Files(_) => "files",
            Program::Gallery => "gallery",
        }
    }

    /// The sandbox has no WebAssembly, so it gets a script always.
    fn form(self) -> Form {
        match self {
            Program::Sandbox { .. } => Form::Script,
            Program::Ui(form) | Program::Files(form) => form,
            Program::Gallery => Form::Wasm,
        }
    }

    /// A name for the folder of its stages.
    fn stage(self) -> &'static str {
        match self {
            Program::Sandbox { sync: true } => "sandbox",
            Program::Sandbox { sync: false } => "sandbox-without-sync",
            Program::Ui(Form::Wasm) => "ui",
            Program::Ui(Form::Script) => "ui-script",
            Program::Files(Form::Wasm) => "files",
            Program::Files(Form::Script) => "files-script",
            Program::Gallery => "gallery",
        }
    }
}

/// Builds `program` of the checkout at `root` and gives the one script it became.
///
/// Stages whose input has not changed since the last build are not run again.
pub fn build(root: &Path, program: Program) -> Result<String> {
    println!("      {}: compiling", program.stage());
    let wasm = compile(root, program)?;
    let stage = target_directory(root).join("plugin").join(program.stage());
    let bundle = stage.join("bundle.js");
    let key_file = stage.join("key");
    let key = stage_key(root, &wasm)?;
    if !fs::read_to_string(&key_file).is_ok_and(|built| built == key) {
        println!("      {}: optimising and bundling", program.stage());
        if stage.exists() {
            fs::remove_dir_all(&stage)?;
        }
        fs::create_dir_all(&stage)?;
        bindgen(&wasm, &stage)?;
        optimise(root, program, &stage)?;
        match program.form() {
            Form::Wasm => gzip(&stage.join("program.wasm"))?,
            Form::Script => {
                translate(root, program, &stage)?;
                patch_stale_views(&stage.join("program_bg.js"))?;
                patch_memory_growth(&stage.join("program.js"))?;
            }
        }
        bundle_stage(root, program, &stage)?;
        fs::write(key_file, key)?;
    }
    let script = fs::read_to_string(&bundle)
        .with_context(|| format!("{} can't be read", bundle.display()))?;
    if program.form() == Form::Script {
        refuse_forbidden(program, &script)?;
    }
    Ok(script)
}

/// How the programs are compiled. docs/adr/0003 has what each is worth.
const COMPILING: [&str; 4] = [
    // Code for the oldest WebAssembly: what is newer, wasm2js can't translate or has to be lowered first. The one
    // exception is copying memory, which it translates to the host's own `copyWithin`.
    "-Ctarget-cpu=mvp",
    "-Ctarget-feature=+bulk-memory",
    // Copies and comparisons of a known length become calls instead of a load and a store for every few bytes.
    "-Cllvm-args=-max-store-memcpy=1 -max-store-memmove=1 -max-store-memset=2 \
     -max-loads-per-memcmp=1 -max-loads-per-memcmp-opt-size=1",
    "--cfg=sha2_backend_soft=\"compact\"",
];

/// Where everything that can be made again is kept.
pub fn target_directory(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |directory| root.join(directory))
}

/// A cargo task on one of the programs, in a target directory of its own, so that the native build is left alone. The flags
/// are the same for all; the panel alone is optimised for its size.
pub fn cargo(root: &Path, task: &str, program: Program) -> Command {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| {
            #[allow(
                deprecated,
                reason = "deprecated for Windows' sake, and right again since Rust 1.85"
            )]
            std::env::home_dir().map(|home| home.join(".cargo"))
        });
    let mut flags = OsString::from(COMPILING.join("\u{1f}"));
    if let Some(home) = home {
        // Panic messages name source files; the bytes must not depend on whose machine this is.
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(home);
        flags.push("=/cargo");
    }
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(root)
        .args([
            task,
            "--locked",
            "--package",
            "sheetwire",
            "--bin",
            program.binary(),
        ])
        .args(["--no-default-features", "--features", program.features()])
        .args([
            "--profile",
            "plugin",
            "--target",
            setup::WASM_TARGET,
            "--target-dir",
        ])
        .arg(target_directory(root).join("plugin-wasm"))
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags);
    if let Program::Ui(_) | Program::Gallery = program {
        // The panel draws and waits for people: what it weighs at opening counts more than how fast it computes.
        cargo.env("CARGO_PROFILE_PLUGIN_OPT_LEVEL", "z");
    }
    // Cargo's progress bar is for people; in a log it would be a line a crate.
    if !std::io::stderr().is_terminal() {
        cargo.arg("--quiet");
    }
    cargo
}

/// Compiles to WebAssembly and gives the bytes.
fn compile(root: &Path, program: Program) -> Result<Vec<u8>> {
    process::run(&mut cargo(root, "build", program))?;
    let folder = target_directory(root)
        .join("plugin-wasm")
        .join(setup::WASM_TARGET)
        .join("plugin");
    let built = folder.join(program.binary()).with_extension("wasm");
    fs::read(&built).with_context(|| format!("{} can't be read", built.display()))
}

/// Names everything the stages after the compiler depend on.
fn stage_key(root: &Path, wasm: &[u8]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    wasm.hash(&mut hasher);
    fs::read(root.join("package-lock.json"))?.hash(&mut hasher);
    include_str!("program.rs").hash(&mut hasher);
    for file in SCRIPTS {
        fs::read(root.join("xtask/js").join(file))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

const SCRIPTS: [&str; 6] = [
    "bundle.mjs",
    "instantiate.js",
    "start-script.js",
    "start-wasm-beside.js",
    "start-wasm.js",
    "text-coding.js",
];

/// Runs wasm-bindgen, which leaves `program_bg.js` (the glue) and `program_bg.wasm`. Both must come from one run.
fn bindgen(wasm: &[u8], stage: &Path) -> Result<()> {
    let mut module = walrus::ModuleConfig::new()
        .generate_name_section(false)
        .parse(wasm)?;
    strip_target_features(&mut module)?;
    wasm_bindgen_cli_support::Bindgen::new()
        .input_module("program", module)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(stage)
        .context("wasm-bindgen failed")
}

/// Takes `reference-types` and `multivalue` out of the `target_features` section.
///
/// The prebuilt standard library puts them there whatever the target CPU is, and wasm-bindgen would then use a
/// WebAssembly table and several return values, which a script does not have.
/// The section: https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md#target-features-section.
fn strip_target_features(module: &mut walrus::Module) -> Result<()> {
    const NAME: &str = "target_features";
    let found = module
        .customs
        .iter()
        .find(|(_, section)| section.name() == NAME)
        .map(|(id, _)| id);
    let Some(id) = found else {
        bail!("the program has no {NAME} section; has rustc stopped writing it?");
    };
    let section = module
        .customs
        .delete(id)
        .context("the target_features section vanished")?;
    let data = section.data(&walrus::IdsToIndices::default()).into_owned();
    let mut kept: Vec<&[u8]> = Vec::new();
    // A count, then entries of a prefix byte, a length and a name. All numbers here are below 128: one byte of LEB128.
    let (count, mut rest) = data
        .split_first()
        .context("the target_features section is empty")?;
    for _ in 0..*count {
        let length = *rest
            .get(1)
            .context("the target_features section is cut off")?;
        ensure!(
            length < 128 && rest.len() >= 2 + usize::from(length),
            "the target_features section is cut off"
        );
        let (entry, after) = rest.split_at(2 + usize::from(length));
        if !matches!(&entry[2..], b"reference-types" | b"multivalue") {
            kept.push(entry);
        }
        rest = after;
    }
    let mut data = vec![u8::try_from(kept.len())?];
    data.extend(kept.concat());
    module.customs.add(walrus::RawCustomSection {
        name: String::from(NAME),
        data,
    });
    Ok(())
}

/// The language `wasm-opt` starts from and lowers to the oldest WebAssembly, all that `wasm2js` knows.
const LOWERING: [&str; 8] = [
    "--mvp-features",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--llvm-nontrapping-fptoint-lowering",
    "--signext-lowering",
];

/// Optimises `program_bg.wasm` to `program.wasm`.
fn optimise(root: &Path, program: Program, stage: &Path) -> Result<()> {
    // The sandbox's interpreter rewards speed; the panel is read once at every opening, so it is made small.
    let level = match program {
        Program::Sandbox { .. } => "-O3",
        Program::Ui(_) | Program::Files(_) | Program::Gallery => "-Oz",
    };
    process::run_quietly(
        binaryen(root, "wasm-opt")
            .current_dir(stage)
            .arg("program_bg.wasm")
            .args(LOWERING)
            .args([level, "-o", "program.wasm"]),
    )
}

/// Translates `program.wasm` to `program.js`. Without optimising here too, the script starts and runs far slower.
fn translate(root: &Path, program: Program, stage: &Path) -> Result<()> {
    let level = match program {
        Program::Sandbox { .. } => "-O3",
        Program::Ui(_) | Program::Files(_) | Program::Gallery => "-Oz",
    };
    process::run_quietly(binaryen(root, "wasm2js").current_dir(stage).args([
        "program.wasm",
        "--mvp-features",
        "--enable-mutable-globals",
        "--enable-bulk-memory",
        "--enable-bulk-memory-opt",
        level,
        "-o",
        "program.js",
    ]))
}

/// Compresses `file` to `file.gz`, in Rust, since zlib's bytes differ from one Node.js to the next.
fn gzip(file: &Path) -> Result<()> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&fs::read(file)?)?;
    fs::write(file.with_extension("wasm.gz"), encoder.finish()?)?;
    Ok(())
}

fn binaryen(root: &Path, tool: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(root.join("node_modules/binaryen/bin").join(tool));
    command
}

/// Makes the glue notice that memory has grown.
///
/// Real WebAssembly detaches the old buffer, and the glue looks for that. A translated program makes a new buffer and
/// leaves the old one alive, so the glue would go on writing into the old one.
fn patch_stale_views(glue: &Path) -> Result<()> {
    let text = fs::read_to_string(glue)?;
    let mut patched = String::with_capacity(text.len());
    let mut views = Vec::new();
    for line in text.lines() {
        let view = line
            .strip_prefix("    if (cached")
            .and_then(|rest| rest.split_once("Memory0 === null || "))
            .filter(|(_, test)| test.ends_with(") {"))
            .map(|(view, _)| view);
        if let Some(view) = view {
            let cached = format!("cached{view}Memory0");
            patched.push_str(&format!(
                "    if ({cached} === null || {cached}.buffer !== wasm.memory.buffer) {{\n"
            ));
            views.push(view);
        } else {
            patched.push_str(line);
            patched.push('\n');
        }
    }
    for view in ["Uint8Array", "DataView"] {
        ensure!(
            views.contains(&view),
            "the glue has no cached {view} to patch; has wasm-bindgen changed its text?"
        );
    }
    ensure!(
        patched.matches("Memory0 === null").count() == views.len()
            && !patched.contains(".buffer.detached"),
        "the glue caches a view of memory in a way the patch does not know"
    );
    fs::write(glue, patched)?;
    Ok(())
}

/// Makes memory grow by a quarter at a time.
///
/// Rust's allocator asks for 64 KiB more whenever it runs out, which real WebAssembly gives for nothing. A translated
/// program copies its whole memory into a new buffer each time. With the patch the buffer is made a quarter larger than
/// asked for, and the program is told of the pages as it asks for them.
fn patch_memory_growth(program: &Path) -> Result<()> {
    const PATCHES: [(&str, &str); 3] = [
        (
            " function __wasm_memory_size() {\n  return buffer.byteLength >> 16;\n }",
            " var memoryPages = buffer.byteLength >> 16;\n function __wasm_memory_size() {\n  return memoryPages;\n }",
        ),
        (
            "  if ((oldPages < newPages) && (newPages < 65536)) {\n   var newBuffer = new ArrayBuffer(newPages << 16);",
            "  if ((oldPages < newPages) && (newPages < 32768)) {\n   memoryPages = newPages;\n   \
             if (newPages << 16 <= buffer.byteLength) return oldPages;\n   \
             var newBuffer = new ArrayBuffer(Math_min(newPages + (newPages >> 2), 32767) << 16);",
        ),
        (
            "  return oldPages;\n }",
            "  else if (newPages > oldPages) return -1;\n  return oldPages;\n }",
        ),
    ];
    let mut text = fs::read_to_string(program)?;
    for (found, wanted) in PATCHES {
        ensure!(
            text.matches(found).count() == 1,
            "the translated program has no text `{found}` to patch; has wasm2js changed its text?"
        );
        text = text.replace(found, wanted);
    }
    fs::write(program, text)?;
    Ok(())
}

/// Bundles the stage's files to one minified script, `bundle.js`.
fn bundle_stage(root: &Path, program: Program, stage: &Path) -> Result<()> {
    let start = match (program.form(), program) {
        (Form::Wasm, Program::Files(_)) => "start-wasm-beside.js",
        (Form::Wasm, _) => "start-wasm.js",
        (Form::Script, _) => "start-script.js",
    };
    if program.form() == Form::Wasm {
        fs::copy(
            root.join("xtask/js/instantiate.js"),
            stage.join("instantiate.js"),
        )?;
    }
    fs::copy(root.join("xtask/js").join(start), stage.join("start.js"))?;
    // ES2017 for the parsers of older desktop apps; the panel runs in a browser that is kept up to date.
    let (target, inject) = match program {
        Program::Sandbox { .. } => ("es2017", vec![root.join("xtask/js/text-coding.js")]),
        Program::Ui(_) | Program::Files(_) | Program::Gallery => ("es2020", vec![]),
    };
    let options = serde_json::json!({
        "absWorkingDir": stage,
        "entryPoints": ["start.js"],
        "outfile": "bundle.js",
        "bundle": true,
        "minify": true,
        "format": "iife",
        "platform": "browser",
        "target": target,
        "inject": inject,
        "legalComments": "none",
        "loader": { ".gz": "binary" },
    });
    process::run_quietly(
        Command::new("node")
            .current_dir(root)
            .arg(root.join("xtask/js/bundle.mjs"))
            .arg(options.to_string()),
    )
}

/// Fails when a translated program names what its host does not have or may forbid.
fn refuse_forbidden(program: Program, script: &str) -> Result<()> {
    for word in ["WebAssembly", "eval(", "new Function"] {
        if let Some(at) = script.find(word) {
            let near: String = script[..at]
                .chars()
                .rev()
                .take(60)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            bail!(
                "the script of {} holds `{word}`, after `{near}`",
                program.stage()
            );
        }
    }
    Ok(())
}
