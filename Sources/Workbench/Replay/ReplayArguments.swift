import ArgumentParser

/// How a script is run without a person, the same for `replay`, `-c` and standard input.
struct ReplayArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Begin with this cell: its number, id or title.", valueName: "cell"))
  var from: String?

  @Option(help: ArgumentHelp("End with this cell.", valueName: "cell"))
  var to: String?

  @Option(help: ArgumentHelp("Run only cells with one of these tags.", valueName: "a,b"))
  var tags: String?

  @Option(help: ArgumentHelp("Leave out cells with one of these tags.", valueName: "a,b"))
  var skip: String?

  @Flag(help: "After a failure go on with what does not depend on it.")
  var keepGoing = false

  @Option(help: ArgumentHelp("Stop and save after this time: 8h, 90m.", valueName: "time"))
  var timeLimit: String?

  @Flag(help: "Go on with an earlier replay: what is done and still the same is not done again.")
  var resume = false

  @Flag(help: "Try everything in small, in a folder that is removed.")
  var smoke = false

  @Flag(help: "Show what would run, what --resume would reuse and why not; run nothing.")
  var plan = false

  @Option(
    help: ArgumentHelp(
      "Compare every run's metrics with those of the run of that name from before.",
      valueName: "exact|tol:1e-4"))
  var verify: String?

  @Option(help: ArgumentHelp("The folder whose runs --verify compares with.", valueName: "dir"))
  var against: String?

  @Flag(help: "Allow lines that begin with '!'.")
  var allowShell = false

  @Flag(help: "Leave out every picture.")
  var noPlot = false
}
