import DSL
import Foundation
import Glibc
import Model

/// Shows how a run goes, from any process: what it logged, where it stands, and what comes.
struct RunTail {
  let run: RunDirectory
  let console: Console
  /// Seconds between two looks.
  var interval = 0.25

  /// Prints the last lines of the log, and where the run stands on the last one.
  func show(lines count: Int) {
    let text = (try? String(contentsOf: run.log, encoding: .utf8)) ?? ""
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    for line in lines.suffix(count) { console.print(String(line)) }
    console.note(state)
  }

  /// Prints the last lines and then every new one until the run ends.
  ///
  /// - Throws: an interruption when the user stops looking.
  func follow(lines count: Int) throws {
    defer { console.progress.finish() }
    var log = LogReader(run.log)
    for line in log.newLines().suffix(count) { console.print(line) }
    while true {
      // The question comes first, so that what a run wrote last is still read.
      let isRunning = run.isBusy
      let lines = log.newLines()
      if log.wasReplaced { console.note("a new run of this name began") }
      for line in lines { console.print(line) }
      guard isRunning else { break }
      showStep()
      usleep(UInt32(interval * 1e6))
      if SignalCenter.isInterrupted {
        throw CommandError(
          "stopped looking; the run goes on", exitCode: CommandError.interrupted.exitCode,
          isInterruption: true)
      }
      if console.isOutputClosed { return }
    }
    console.progress.finish()
    console.note(state)
  }

  /// Where the run stands: `first: running, epoch 3 of 8, step 97, loss 1.62; best top1 92.20 in epoch 7`.
  private var state: String {
    let summary = RunSummary(run)
    var parts = [summary.status.rawValue]
    let total = summary.totalEpochs.map { " of \($0)" } ?? ""
    if summary.status == .running, let step = lastStep {
      parts.append("epoch \(step.epoch)\(total), step \(step.step)")
      parts.append("loss \(NumberText.fixed(step.loss, 4))")
    } else {
      parts.append("\(summary.epochs)\(total) epochs")
    }
    var text = "\(run.name): " + parts.joined(separator: ", ")
    if let best = summary.best {
      let value = NumberText.fixed(best.value, best.metric == .loss ? 4 : 2)
      text += "; best \(best.metric.rawValue) \(value) in epoch \(best.epoch)"
    }
    return text
  }

  /// A step as events.jsonl records it.
  private struct Step: Decodable {
    var ev: String
    var epoch: Int
    var step: Int
    var epochStep: Int
    var loss: Double

    private enum CodingKeys: String, CodingKey {
      case ev, epoch, step, loss
      case epochStep = "epoch_step"
    }
  }

  private var lastStep: Step? {
    guard let file = try? FileHandle(forReadingFrom: run.events),
      let end = try? file.seekToEnd()
    else { return nil }
    defer { try? file.close() }
    // The end of the file is enough.
    let length = min(end, 16384)
    try? file.seek(toOffset: end - length)
    let data = (try? file.readToEnd()) ?? Data()
    return data.split(separator: UInt8(ascii: "\n")).reversed().lazy
      .compactMap { try? JSONDecoder().decode(Step.self, from: Data($0)) }
      .first { $0.ev == "step" }
  }

  /// The bar on a terminal, from the steps that are recorded.
  private func showStep() {
    guard TerminalDevice.isTerminal(STDERR_FILENO), let step = lastStep else { return }
    let events = EventLog.read(run)
    let total = events.last { $0.totalEpochs != nil }?.totalEpochs.map { "/\($0)" } ?? ""
    console.progress.begin(total: 0, label: "epoch \(step.epoch)\(total)")
    console.progress.update(step.epochStep, detail: "loss \(NumberText.fixed(step.loss, 4))")
  }
}

/// Reads what is added to a text file, whole lines at a time.
struct LogReader {
  private let url: URL
  private var offset: UInt64 = 0
  private var tail = Data()
  /// Whether the last look found another file than the one before.
  private(set) var wasReplaced = false

  init(_ url: URL) { self.url = url }

  /// The lines since the last call; a line without its end is kept for the next one.
  mutating func newLines() -> [String] {
    wasReplaced = false
    guard let file = try? FileHandle(forReadingFrom: url), let end = try? file.seekToEnd() else {
      return []
    }
    defer { try? file.close() }
    if end < offset {
      // A shorter file is another one: a new run took the name.
      offset = 0
      tail = Data()
      wasReplaced = true
    }
    try? file.seek(toOffset: offset)
    guard let added = try? file.readToEnd() else { return [] }
    offset += UInt64(added.count)
    tail += added
    var parts = tail.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    tail = Data(parts.removeLast())
    return parts.map { String(decoding: $0, as: UTF8.self) }
  }
}
