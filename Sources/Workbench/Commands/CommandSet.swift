import DSL

/// All commands of the program.
enum CommandSet {
  /// The table that parsing, checking, help, completion and running share.
  static let table: CommandTable<WorkbenchState> = CommandTable(
    (ModelCommands.all + WeightCommands.all + DataCommands.all + DownloadCommands.all
      + SettingCommands.all + TrainingCommands.all + [
        RecalibrationCommand.recalibrate, RateFinderCommand.find, PresetCommand.preset,
      ]
      + [ForkCommand.fork, RequireCommand.require, ShellCommand.shell]
      + EvaluationCommands.all + PlotCommands.all + RunCommands.all + CellCommands.all
      + UndoCommands.all + SessionCommands.all + BenchCommands.all + [ProfileCommand.profile]
      + [DiffCommand.diff] + NotebookCommands.all + ShellCommands.all
      + [HelpCommand.help, HelpCommand.apropos])
      .map { command in
        Command(command.signature) { invocation, state in
          do {
            try command.run(invocation, state)
          } catch {
            throw translated(error)
          }
        }
      })
}
