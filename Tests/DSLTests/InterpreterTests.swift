import DSL
import Testing

@Suite struct InterpreterTests {
  /// Runs a text; what ran, the outcome, and what the observer was told.
  static func run(
    _ text: String, keepsGoing: Bool = false
  ) -> (Recorder, RunOutcome, [String]) {
    let recorder = Recorder()
    var events: [String] = []
    let observer = RunObserver(
      willRun: { events.append("will \($0.invocation.name)") },
      didRun: { events.append("did \($0.invocation.name)") },
      didFail: { events.append("failed \($0.step.invocation.name)") })
    let outcome = Interpreter(table: Fake.table).run(
      Fake.check(text, as: .prompt), in: recorder, keepsGoing: keepsGoing, observer: observer)
    return (recorder, outcome, events)
  }

  @Test func stepsRunInOrder() {
    let (recorder, outcome, events) = Self.run("seed 1; for a in 2 3 { seed ${a} }; train")
    #expect(recorder.lines == ["seed 1", "seed 2", "seed 3", "train"])
    #expect(outcome.completed == 4)
    #expect(outcome.total == 4)
    #expect(outcome.exitCode == 0)
    #expect(events.count == 8)
    #expect(events.prefix(2) == ["will seed", "did seed"])
  }

  @Test func theFirstFailureEndsTheRun() {
    let (recorder, outcome, events) = Self.run("seed 1; fail pointedly; seed 2")
    #expect(recorder.lines == ["seed 1", "fail pointedly"])
    #expect(outcome.completed == 1)
    #expect(outcome.exitCode == 7)
    #expect(events.last == "failed fail")
    let failure = outcome.failures.first
    #expect(failure?.diagnostic.range == SourceRange(13, 22))
    #expect(failure?.diagnostic.hint == "use another")
    #expect(failure?.diagnostic.notes.map(\.message) == ["nothing was changed"])
    #expect(failure?.isInterruption == false)
    #expect((failure?.underlying as? CommandError)?.exitCode == 7)
    let error = failure?.scriptError(in: Source(name: "t", text: "seed 1; fail pointedly"))
    #expect(error?.exitCode == 7)
    #expect(error?.description.hasPrefix("t:1:14: error: the word is wrong\n") == true)
  }

  @Test func unknownErrorsKeepTheirText() {
    let (_, outcome, _) = Self.run("fail plainly")
    #expect(outcome.failures.first?.diagnostic.message == "something broke")
    #expect(outcome.exitCode == 3)
  }

  @Test func aRunMayKeepGoing() {
    let (recorder, outcome, _) = Self.run("fail; seed 1; fail pointedly; seed 2", keepsGoing: true)
    #expect(recorder.lines.count == 4)
    #expect(outcome.failures.count == 2)
    #expect(outcome.completed == 2)
    #expect(outcome.exitCode == 3)
  }

  @Test func anInterruptionAlwaysEndsTheRun() {
    let (recorder, outcome, _) = Self.run("fail stopped; seed 1", keepsGoing: true)
    #expect(recorder.lines == ["fail stopped"])
    #expect(outcome.exitCode == 130)
    #expect(outcome.failures.first?.isInterruption == true)
  }

  @Test func quittingEndsTheRunSuccessfully() {
    let (recorder, outcome, _) = Self.run("seed 1; quit; seed 2")
    #expect(recorder.lines == ["seed 1", "quit"])
    #expect(outcome.completed == 2)
    #expect(outcome.stopCode == 0)
    #expect(outcome.exitCode == 0)
  }

  @Test func someStepsMayBeChosen() {
    let checked = Fake.check("# %% A\nseed 1\n# %% B\nseed 2\n")
    let recorder = Recorder()
    let outcome = Interpreter(table: Fake.table).run(
      checked, steps: checked.steps.filter { $0.cell == 2 }, in: recorder)
    #expect(recorder.lines == ["seed 2"])
    #expect(outcome.total == 1)
  }
}
