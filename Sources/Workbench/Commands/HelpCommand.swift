import DSL

// `help`: the overview, a command, a key, the tour, a search.

enum HelpCommand {
  static let help = Command<WorkbenchState>(
    Signature(
      "help", group: "session", "Explains the program, a command or a key.",
      discussion: """
        'help WORD' explains a command, a key or a topic. If there is no such page, everything that \
        mentions the word is listed.
        """,
      positionals: [
        Positional(
          "topic", .text, "a command, a key, 'tour', or words to look for", .variadic(minimum: 0))
      ],
      effect: .look,
      examples: [Example("help train", "a command"), Example("help batch-size", "a key")])
  ) { invocation, state in
    let words = invocation.strings("topic")
    let help = makeHelp(state)
    guard !words.isEmpty else {
      state.console.write(help.overview())
      return
    }
    let text = words.joined(separator: " ")
    if let page = help.page(about: text) ?? help.search(text) {
      state.console.write(page)
      return
    }
    throw CommandError(
      "there is no help about '\(text)'",
      hint: help.suggestion(for: text).map { "did you mean '\($0)'?" }
        ?? "'help' lists all commands",
      argument: "topic")
  }

  static let apropos = Command<WorkbenchState>(
    Signature(
      "apropos", group: "session", "Lists the commands, keys and topics that mention some words.",
      positionals: [Positional("words", .text, "what to look for", .variadic(minimum: 1))],
      effect: .look,
      examples: [
        Example("apropos learning rate", "everything about it"),
        Example("apropos csv", "what writes comma-separated values"),
      ])
  ) { invocation, state in
    let words = invocation.strings("words").joined(separator: " ")
    guard let page = makeHelp(state).search(words) else {
      throw CommandError(
        "nothing mentions '\(words)'", hint: "try fewer words, or 'help'", argument: "words")
    }
    state.console.write(page)
  }

  private static func makeHelp(_ state: WorkbenchState) -> Help {
    Help(
      vocabulary: CommandSet.table.vocabulary, topics: topics,
      width: min(state.console.width ?? 80, 100))
  }

  private static let topics = [
    HelpTopic(
      "tour", "The first steps, in ten lines.",
      text: """
        Type these, one after the other; Tab completes commands, keys and names.

          data digits
              1,438 real handwritten digits to learn from, 359 to test with, part of the program
          load tf_efficientnetv2_b0
              the smallest EfficientNetV2, with new weights; 'models' lists the others
          set input-size=32 crop-pct=1 hflip=0 color-jitter=0 scale=[0.8,1]
              what digits want: small pictures, never mirrored; 'help scale' says why
          set epochs=8 warmup-epochs=1 cooldown-epochs=0 lr=0.02
              a short training at a gentle rate
          show
              what differs from the defaults of the original train.py
          train name=first
              about a minute; Ctrl-C saves everything, 'resume' goes on
          plot loss
              the curve, here in the terminal
          plot top1 > first-top1.png
              another one, as a picture
          save first.wb
              all of it as a script
          quit

        Afterwards 'workbench replay first.wb' in the shell gives the same numbers again. With your \
        own pictures the first line is 'data folder dir=PATH', with released weights the second ends \
        in 'pretrained'.
        """,
      examples: [
        Example("data digits", "the first line of the tour"),
        Example("help train", "all about training"),
      ]),
    HelpTopic(
      "replay", "Session files, parameters and exit codes.",
      text: """
        'save FILE.wb' writes the commands that mattered; 'workbench replay FILE.wb' runs them in the \
        shell, stops at the first error, and gives the same metrics.csv, byte for byte but for the \
        times. 'param NAME:TYPE = VALUE' in a script declares a parameter, '-p NAME=VALUE' sets it, \
        '--list-params' lists them. '-O KEY=VALUE' forces a hyperparameter.

          exit code   meaning
          0           all commands ran, every expectation held
          2           the command line was not understood
          3           a command failed
          4           the check failed; nothing was run
          5           an expectation was missed
          6           training diverged; the last good checkpoint is kept
          7           data, weights, disk, memory or gnuplot are missing
          124         the time limit was reached; training is saved
          130, 143    interrupted; training is saved
        """,
      examples: [
        Example("check sessions/quickstart.wb", "what would fail"),
        Example("replay sessions/quickstart.wb", "run it in a program of its own"),
      ]),
  ]
}
