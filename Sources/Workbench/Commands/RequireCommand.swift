import DSL
import Model

// `require`: what a script demands of the machine.

enum RequireCommand {
  static let require = Command<WorkbenchState>(
    Signature(
      "require", group: "session", "Demands something of the machine before anything runs.",
      discussion: """
        A replay checks every 'require' of its script before its first command and ends with exit \
        code 7 where one is not met; at the prompt it is checked at once.

        weights NAME: the released weights of a model, or a file, are there, with the SHA-256 of \
        sha256= if it is given; the beginning of the digest is enough. data [NAME]: the data that the \
        script loads can be read; sha256= is that of one of its files, or the fingerprint in \
        params.json. threads N: so many cores. free-disk SIZE: where runs are written. memory SIZE: \
        what programs can still get. version V: this release of the program or a newer one.
        """,
      positionals: [
        Positional(
          "what", .choice(["weights", "data", "threads", "free-disk", "memory", "version"]),
          "what is demanded"),
        Positional("value", .text, "how much of it, or which", .optional),
      ],
      keys: [
        Parameter(
          "sha256", .word, "the SHA-256, or its beginning", activeWhen: "only with weights and data"
        )
      ],
      effect: .check, reads: [.slot("env")],
      examples: [
        Example("require free-disk 1M", "room for a small run"),
        Example("require threads 1", "as many cores"),
        Example("data digits; require data digits", "this data"),
      ])
  ) { invocation, state in
    try Requirements.meet(invocation, state)
    state.console.note("\(invocation.canonicalText.dropFirst("require ".count)): yes")
  }
}
