import DSL
import Testing

@Suite struct CheckerTests {
  @Test func loopsAreUnrolledLastNameFastest() {
    let checked = Fake.check(
      """
      param lr:float = 0.1
      set lr=${lr}
      for model in b0 b1, d in cifar10 cifar100 {
        load ${model}
        train name=${model}-${d}
      }
      """)
    #expect(checked.isSound)
    #expect(
      checked.steps.map(\.invocation.canonicalText) == [
        "set lr=0.1", "load b0", "train name=b0-cifar10", "load b0", "train name=b0-cifar100",
        "load b1", "train name=b1-cifar10", "load b1", "train name=b1-cifar100",
      ])
    #expect(checked.steps.last?.variables.map(\.text) == ["b1", "cifar100"])
    #expect(checked.steps.map(\.index) == Array(0..<9))
    #expect(checked.steps[2].invocation.canonicalTemplate == "train name=${model}-${d}")
  }

  @Test func cellsAreNumbered() {
    let checked = Fake.check("seed 1\n# %% A\nseed 2\n# %% B\nseed 3\nfor a in 4 {\nseed ${a}\n}")
    #expect(checked.steps.map(\.cell) == [0, 1, 2, 2])
    #expect(checked.script.label(ofCell: 2) == "cell 2 \"B\"")
    #expect(Fake.check("seed 1").script.label(ofCell: 0) == nil)
  }

  @Test func overridesReplaceDefaults() {
    let text =
      "param n:int = 50 in 1.. \"epochs\"\nparam d = cifar10 in cifar10|cifar100\nparam r = 0.5\nset epochs=${n} hflip=${r}\ndata ${d}"
    let checked = Fake.check(text, as: .inline, [ParameterOverride("n", "3")])
    #expect(checked.isSound)
    #expect(
      checked.steps.map(\.invocation.canonicalText) == ["set epochs=3 hflip=0.5", "data cifar10"])
    let parameters = checked.parameters
    #expect(parameters.map(\.name) == ["n", "d", "r"])
    #expect(parameters.map(\.text) == ["3", "cifar10", "0.5"])
    #expect(parameters.map(\.defaultText) == ["50", "cifar10", "0.5"])
    #expect(parameters.map(\.isOverridden) == [true, false, false])
    #expect(
      parameters.map(\.kind) == [
        .integer(.from(1)), .choice(["cifar10", "cifar100"]), .number(),
      ])
    #expect(parameters[0].help == "epochs")
    #expect(ParameterOverride(parsing: "a=b=c") == ParameterOverride("a", "b=c"))
    #expect(ParameterOverride(parsing: "=b") == nil)
    #expect(ParameterOverride(parsing: "ab") == nil)
  }

  @Test func aParameterMayMentionEarlierOnes() {
    let checked = Fake.check("param d = x\nparam run_name = s-${d}\ntrain name=${run-name}")
    #expect(checked.isSound)
    #expect(checked.steps.map(\.invocation.canonicalText) == ["train name=s-x"])
  }

  @Test func aReadParameterIsNotOverwritten() {
    let sound = "param n:int = 3\nset epochs=${n}\ntrain\nset epochs=5\ntrain"
    #expect(Fake.check(sound).diagnostics.isEmpty)
    expectFindings(
      "param n:int = 3\nset epochs=${n}\nset 1️⃣epochs=52️⃣\ntrain", [.overwrittenParameter])
  }

  @Test func faultsInLoopsAreReportedOnce() {
    expectFindings("for a in 1 2 3 {\n  set 1️⃣l2️⃣=${a}\n}", [.unknownKey])
    expectFindings("for a in 1 0 {\n  set epochs=1️⃣${a}2️⃣\n}", [.valueOutOfRange])
  }

  @Test func thePromptUnderstandsMore() {
    let checked = Fake.check("lr=0.1; tra name=a; !ls -l\nsave s.wb", as: .prompt)
    #expect(checked.isSound, "\(checked.diagnostics.map(\.message))")
    #expect(
      checked.steps.map(\.invocation.canonicalText) == [
        "set lr=0.1", "train name=a", "shell \"ls -l\"", "save s.wb",
      ])
    let inline = Fake.check("lr=0.1\ntra\n!ls\nsave s.wb")
    #expect(
      inline.diagnostics.map(\.code) == [
        "bare-assignment", "abbreviated-command", "shell-command", "prompt-only",
      ])
    var checker = Fake.checker()
    checker.allowsShell = true
    #expect(checker.check(Source(name: "t", text: "!ls"), as: .inline).isSound)
  }

  @Test func thePromptRemembersParameters() {
    let first = Fake.check("param n:int = 3", as: .prompt)
    #expect(first.scope.names == ["n"])
    let second = Fake.checker().check(
      Source(name: "t", text: "set epochs=${n}"), as: .prompt, scope: first.scope)
    #expect(second.steps.map(\.invocation.canonicalText) == ["set epochs=3"])
    // A parameter may be declared anew in a later line.
    let third = Fake.checker().check(
      Source(name: "t", text: "param n:int = 4"), as: .prompt, scope: first.scope)
    #expect(third.isSound)
    #expect(third.scope.value(of: "n") == "4")
  }

  @Test func versions() {
    #expect(Fake.check("version 1\ntrain", as: .file).isSound)
    #expect(Fake.check("# comment\n\nversion 1\n", as: .file).isSound)
    #expect(Fake.check("train", as: .inline).isSound)
    #expect(Fake.check("", as: .file).diagnostics.map(\.code) == ["missing-version"])
    #expect(
      Fake.check("version 2\nfoo {", as: .prompt).diagnostics.map(\.code) == ["newer-version"])
    #expect(Fake.check("version x", as: .file).diagnostics.map(\.code) == ["bad-declaration"])
  }

  @Test func theProgramAddsRules() {
    let rules = [
      CheckRule.each { invocation in
        guard invocation.name == "train", !invocation.isGiven("name") else { return [] }
        return [
          Diagnostic(
            .warning, code: "C19", message: "the run has no name", at: invocation.range,
            hint: "add name=NAME")
        ]
      },
      CheckRule { script in
        script.steps.count > 2
          ? [Diagnostic(code: "C0", message: "too long", at: script.steps.last?.range)] : []
      },
    ]
    let source = Source(name: "t", text: "train\nseed 1\nseed 2")
    let checked = Fake.checker(rules: rules).check(source, as: .inline)
    #expect(checked.diagnostics.map(\.code) == ["C19", "C0"])
    #expect(throws: ScriptError.self) { try checked.validated() }
    do throws(ScriptError) {
      _ = try checked.validated()
    } catch {
      #expect(error.exitCode == 4)
      #expect(error.description.contains("t:3:1: error: too long"))
    }
  }

  @Test func emptyLoopsEnd() {
    let clause = (0..<5).map { "a\($0) in 1 2 3 4 5 6 7 8 9 10" }.joined(separator: ", ")
    let checked = Fake.check("for \(clause) {\n}")
    #expect(checked.diagnostics.map(\.code) == ["too-many-repetitions"])
  }
}
