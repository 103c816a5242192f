import Foundation
import Synchronization
import Testing

@testable import Workbench

struct TerminalProgressTests {
  /// A clock that the test moves, and everything that was written.
  final class World: Sendable {
    let time = Mutex(0.0)
    let written = Mutex("")
    let columns = Mutex(80)
    let resizes = Mutex(0)

    func wait(_ seconds: Double) { time.withLock { $0 += seconds } }
    var text: String { written.withLock { $0 } }

    func reporter(_ mode: ProgressMode, environment: [String: String] = ["LANG": "C.UTF-8"])
      -> ProgressReporter
    {
      ProgressReporter(
        mode: mode, environment: environment, isTerminal: false,
        surroundings: .init(
          write: { text in self.written.withLock { $0 += text } },
          now: { self.time.withLock { $0 } }, date: { 1000 + self.time.withLock { $0 } },
          columns: { self.columns.withLock { $0 } }, resizes: { self.resizes.withLock { $0 } }))
    }
  }

  @Test func modeFollowsTheSurroundings() {
    func mode(_ isTerminal: Bool, _ environment: [String: String]) -> ProgressMode {
      ProgressMode.auto.resolved(isTerminal: isTerminal, environment: environment)
    }
    #expect(mode(true, ["TERM": "xterm"]) == .bar)
    #expect(mode(false, ["TERM": "xterm"]) == .plain)
    #expect(mode(true, ["TERM": "dumb"]) == .plain)
    #expect(mode(true, ["TERM": "xterm", "CI": "true"]) == .plain)
    #expect(ProgressMode.json.resolved(isTerminal: true, environment: [:]) == .json)
  }

  @Test func barIsDrawnAtMostTenTimesASecondAndCleared() {
    let world = World()
    let reporter = world.reporter(.bar)
    reporter.begin(total: 1000, label: "train")
    for step in 1...1000 {
      world.wait(0.001)
      reporter.update(step, detail: "loss 0.812")
    }
    let frames = world.text.components(separatedBy: "\r\u{1B}[K").dropFirst()
    #expect(frames.count <= 11)
    #expect(frames.allSatisfy { $0.displayWidth < 80 && !$0.contains("\n") })
    #expect(frames.last?.contains("loss 0.812") == true)
    #expect(world.text.contains("500ms left") || world.text.contains("499ms left"))
    reporter.finish()
    #expect(world.text.hasSuffix("\r\u{1B}[K"))
    let end = world.text
    reporter.finish()
    reporter.update(1)
    #expect(world.text == end)
  }

  @Test func messagesStandAboveTheBar() {
    let world = World()
    let reporter = world.reporter(.bar)
    reporter.begin(total: 10, label: "train")
    reporter.message("epoch 1")
    #expect(world.text.contains("\r\u{1B}[Kepoch 1\n\r\u{1B}[Ktrain"))
    let sum = reporter.paused { 1 + 1 }
    #expect(sum == 2)
    reporter.finish()
  }

  @Test func barFollowsTheWindow() {
    let world = World()
    let reporter = world.reporter(.bar, environment: ["LANG": "en_US.ISO-8859-1"])
    reporter.begin(total: 10, label: "evaluation of everything")
    world.columns.withLock { $0 = 24 }
    world.resizes.withLock { $0 = 1 }
    world.wait(1)
    reporter.update(5)
    let last = world.text.components(separatedBy: "\r\u{1B}[K").last ?? ""
    #expect(!last.isEmpty && last.displayWidth < 24)
    #expect(world.text.contains("[....") && !world.text.contains("█"))
  }

  @Test func plainModeSaysNowAndThenThatItIsAlive() {
    let world = World()
    let reporter = world.reporter(.plain)
    reporter.begin(total: 100, label: "train")
    for step in 1...100 {
      world.wait(1)
      reporter.update(step, detail: "loss 0.5")
      if step == 50 { reporter.message("epoch 1 of 2") }
    }
    reporter.finish()
    #expect(
      world.text == """
        train 30/100 (30 %)  loss 0.5  1m10s left
        epoch 1 of 2
        train 80/100 (80 %)  loss 0.5  20s left

        """)
  }

  @Test func jsonModeWritesEvents() throws {
    let world = World()
    let reporter = world.reporter(.json)
    reporter.begin(total: 4, label: "train")
    reporter.event("epoch", ["epoch": 3, "loss": 0.5, "run": "s"])
    world.wait(31)
    reporter.update(2, detail: "x")
    reporter.message("hello")
    reporter.finish()
    let lines = world.text.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        #"{"epoch":3,"ev":"epoch","loss":0.5,"run":"s","t":1000}"#,
        #"{"detail":"x","done":2,"ev":"alive","label":"train","t":1031,"total":4}"#,
        #"{"ev":"message","t":1031,"text":"hello"}"#,
      ])
  }

  @Test func noneIsSilent() {
    let world = World()
    let reporter = world.reporter(.none)
    reporter.begin(total: 4, label: "train")
    world.wait(100)
    reporter.update(2)
    reporter.message("hello")
    reporter.finish()
    #expect(world.text.isEmpty)
  }

  @Test func manyThreadsMayReport() {
    let world = World()
    let reporter = world.reporter(.bar)
    reporter.begin(total: 4000, label: "train")
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      for step in 0..<500 {
        world.wait(0.01)
        reporter.update(step)
        if step % 100 == 0 { reporter.message("line") }
      }
    }
    reporter.finish()
    #expect(world.text.components(separatedBy: "line\n").count == 41)
  }
}
