import ArgumentParser
import Foundation

// The subcommands that serve other programs and other forms of a session.

/// `workbench import FILE [OUT]`.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Turn a Jupyter notebook into a session file.",
    discussion: """
      Calls of train.py and timm become commands; what no command stands for is kept as a comment, \
      with a warning. 'help import' at the prompt says more. Exit codes: 0 written, 3 not a notebook, \
      7 the file cannot be read or written.
      """)

  @Argument(
    help: "The notebook (.ipynb), or a Python script in cells (.py).",
    completion: .file(extensions: ["ipynb", "py"]))
  var file: String

  @Argument(
    help: "The session file, NAME.wb without; - prints it.", completion: .file(extensions: ["wb"]))
  var destination: String?

  @Flag(help: "Fine-tune from pretrained weights, as the text of the notebook says.")
  var intent = false

  @Flag(help: "Overwrite a file.")
  var force = false

  @OptionGroup var output: OutputOptions
}

/// `workbench export FILE OUT`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a session file as a Jupyter notebook.",
    discussion: """
      Each cell hands its commands to this program. Logs and pictures that a replay left are put in \
      as outputs. Exit codes: 0 written, 3 the ending is not known, 4 the script has errors, 7 the \
      file cannot be written.
      """)

  @Argument(help: "The session file.", completion: .file(extensions: ["wb"]))
  var file: String

  @Argument(help: "The notebook to write (.ipynb).", completion: .file(extensions: ["ipynb"]))
  var destination: String

  @Flag(help: "Overwrite a file.")
  var force = false

  @OptionGroup var output: OutputOptions
}

/// `workbench doctor`.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Look whether this machine has what the program needs.",
    discussion: "Exit codes: 0 all is well or only optional things are missing, 7 something fails.")

  @OptionGroup var output: OutputOptions
}

/// `workbench tail RUN`.
struct TailCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail", abstract: "Show how a run goes that another process trains.",
    discussion: """
      Exit codes: 0 shown, 3 there is no such run, 130 interrupted; the run itself goes on.
      """)

  @Argument(
    help: "The run, in runs/ of the current folder or of --out.",
    completion: .custom { _, _, _ in ShellCompletion.runs() })
  var run: String

  @Flag(name: .shortAndLong, help: "Go on until the run ends.")
  var follow = false

  @Option(name: [.customShort("n"), .long], help: "How many lines to begin with.")
  var lines = 12

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard lines >= 0 else { throw ValidationError("--lines takes a number from 0") }
  }
}

/// `workbench upgrade FILE`.
struct UpgradeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upgrade", abstract: "Bring a session file up to the newest version.",
    discussion: """
      Prints what would change; --write changes the file. It adds a missing version and writes \
      old and short spellings out. Exit codes: 0 done, or nothing to do, 4 the file has errors or is \
      of a newer version, 7 it cannot be written.
      """)

  @Argument(help: "The session file.", completion: .file(extensions: ["wb"]))
  var file: String

  @Flag(help: "Write the file.")
  var write = false

  @OptionGroup var output: OutputOptions
}

/// `workbench completions SHELL`.
struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions", abstract: "Print the completions of the command line for a shell.",
    discussion: """
      bash: workbench completions bash > ~/.local/share/bash-completion/completions/workbench
      zsh: workbench completions zsh > a folder of $fpath, under the name _workbench
      fish: workbench completions fish > ~/.config/fish/completions/workbench.fish
      """)

  @Argument(help: "bash, zsh or fish.", completion: .list(["bash", "zsh", "fish"]))
  var shell: String

  func validate() throws {
    guard CompletionShell(rawValue: shell) != nil else {
      throw ValidationError("there are completions for bash, zsh and fish, not for '\(shell)'")
    }
  }

  func run() throws {
    guard let shell = CompletionShell(rawValue: shell) else { return }
    TerminalDevice.write(WorkbenchCommand.completionScript(for: shell) + "\n", to: STDOUT_FILENO)
  }
}
