import ArgumentParser

/// The program's own command line.
struct WorkbenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workbench",
    abstract:
      "Fine-tune EfficientNetV2 from a prompt, save the session, replay it to the same bits.",
    discussion: """
      Without a subcommand this is the prompt; type 'help' there. Commands can also come from -c or \
      from standard input.
      """,
    version: "workbench \(ProgramVersion.number)",
    subcommands: [
      PromptCommand.self, ReplayCommand.self, CheckCommand.self, ConvertCommand.self,
      ImportCommand.self, ExportCommand.self, TailCommand.self, UpgradeCommand.self,
      DoctorCommand.self, CompletionsCommand.self,
    ],
    defaultSubcommand: PromptCommand.self)
}

/// How the program talks, the same for every way to run it.
struct OutputOptions: ParsableArguments {
  @Option(help: "Colours: auto, always or never. NO_COLOR is honoured.")
  var color = Style.Choice.auto

  @Option(help: "How progress is shown on standard error: auto, bar, plain, json or none.")
  var progress = ProgressMode.auto

  @Flag(help: "Print tables as JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
  var quiet = false

  @Option(help: "The folder in which runs/ and written files go.", completion: .directory)
  var out: String?
}

/// Values for what a script declares with `param`.
struct ScriptParameterOptions: ParsableArguments {
  @Option(
    name: .customShort("p"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Give a declared parameter a value.", valueName: "name=value"),
    completion: .custom { words, _, _ in ShellCompletion.parameters(words) })
  var parameters: [String] = []
}

/// `workbench`, `workbench -c 'line'`, `workbench < script`.
struct PromptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt", abstract: "Start the prompt, or run commands from -c or standard input.")

  @Option(name: .customShort("c"), help: "Run these commands, separated by ';', and leave.")
  var command: String?

  @OptionGroup(title: "Options for headless commands") var replay: ReplayArguments

  @OptionGroup var output: OutputOptions
}

/// `workbench replay FILE`.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Run a session file from its first line to its last.",
    discussion: """
      Stops at the first error. Exit codes: 0 all ran, 1 the program itself went wrong, 2 the command \
      line, 3 a command failed, 4 the check failed and nothing ran, 5 an expectation or --verify was \
      missed, 6 training diverged, 7 data, weights, disk, memory or gnuplot are missing, 124 the time \
      limit, 129, 130 and 143 interrupted (training is saved; --resume goes on).
      """)

  @Argument(
    help: "The session file, or - for standard input.", completion: .file(extensions: ["wb"]))
  var file: String

  @OptionGroup var script: ScriptParameterOptions

  @Option(
    name: .customShort("O"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Force a hyperparameter, whatever the script says.", valueName: "key=value"))
  var overrides: [String] = []

  @Flag(help: "List the parameters that -p can set, and leave.")
  var listParams = false

  @Flag(help: "Check the script, and leave without running anything.")
  var check = false

  @OptionGroup var replay: ReplayArguments

  @OptionGroup var output: OutputOptions
}

/// `workbench check FILE`.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check a session file without running anything.")

  @Argument(
    help: "The session file, or - for standard input.", completion: .file(extensions: ["wb"]))
  var file: String

  @OptionGroup var script: ScriptParameterOptions

  @OptionGroup var output: OutputOptions
}

/// `workbench convert IN OUT`.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Rewrite a file of weights in another format.",
    discussion: """
      Reads every kind of file that 'load' reads and writes safetensors, PyTorch (.pth) or NumPy \
      (.npz), by the ending of the name, under timm's names when they are those of a known network. \
      Exit codes: 0 written, 3 the ending is not known, 7 the file cannot be read or written.
      """)

  @Argument(help: "The file of weights, or a folder with one.")
  var input: String

  @Argument(help: "The file to write: .safetensors, .pth or .npz.")
  var destination: String

  @OptionGroup var output: OutputOptions
}

extension Style.Choice: ExpressibleByArgument {}
extension ProgressMode: ExpressibleByArgument {}
