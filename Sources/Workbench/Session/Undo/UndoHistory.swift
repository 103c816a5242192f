import DSL
import Foundation
import Model

/// What `undo` can take back in this session, and `redo` can do again.
final class UndoHistory {
  /// A command that changed something.
  struct Step {
    /// The command as it was typed.
    let text: String
    /// Its number in the journal.
    let record: Int
    /// The state before it, or, while it is undone, the one after it.
    var snapshot: StateSnapshot
    /// What it did to the folder of a run.
    var run: RunFolderChange?
    /// The files it wrote, which stay as they are.
    let files: [String]
  }

  /// What is remembered while a command runs.
  struct Pending {
    fileprivate let snapshot: StateSnapshot
    fileprivate let runNames: Set<String>
    fileprivate let copy: (run: String, url: URL)?
  }

  /// The commands that can be undone, the latest last.
  private(set) var done: [Step] = []
  /// The commands that can be done again, the next one last.
  private(set) var undone: [Step] = []
  /// Where networks are kept.
  private let folder: URL
  private var fileCount = 0
  /// What the networks may take on disk; beyond it the oldest steps can no longer be undone.
  private static let mostBytes = 4 << 30

  /// A history that keeps its files in a folder, which is made when it is needed.
  init(folder: URL) { self.folder = folder }

  /// The file for the next network.
  private func nextFile() -> URL {
    fileCount += 1
    return folder.appending(path: "\(fileCount).safetensors")
  }

  // MARK: Around a command

  /// Remembers the state before a command. A network that cannot be written (a full disk) is a
  /// reason to warn, not to refuse the command: then it cannot be undone.
  func begin(_ invocation: Invocation, _ state: WorkbenchState) -> Pending? {
    let changesModel = invocation.effect == .change && invocation.writes.contains("model")
    do {
      let snapshot = try StateSnapshot(state, modelFile: changesModel ? nextFile() : nil)
      var copy: (run: String, url: URL)?
      if invocation.name == "resume",
        let run = try? RunAccess.resumable(invocation.string("run"), state), !run.isBusy
      {
        copy = (run.name, try RunFolderChange.copy(run, in: state.places.runs))
      }
      let runNames = RunDirectory.all(in: state.places.runs).map(\.name)
      return Pending(snapshot: snapshot, runNames: Set(runNames), copy: copy)
    } catch {
      let reason = (error as? any ModelError)?.message ?? error.localizedDescription
      state.console.warn("this command cannot be undone: \(reason)")
      return nil
    }
  }

  /// The command ran, or was stopped in a way that left something.
  func commit(_ pending: Pending, _ entry: JournalEntry, record: Int, _ state: WorkbenchState) {
    guard entry.changesSlots || pending.snapshot.hasOtherCells(than: state) else {
      return discard(pending)
    }
    undone.forEach { discard($0.snapshot) }
    undone = []
    let files = entry.writes.filter { $0.name.hasPrefix("file:") }
      .map { String($0.name.dropFirst("file:".count)) }
    done.append(
      Step(
        text: entry.savedText ?? entry.text, record: record, snapshot: pending.snapshot,
        run: change(pending, entry, state), files: files))
    var bytes = done.reduce(0) { $0 + $1.snapshot.bytes }
    while bytes > Self.mostBytes, done.count > 1 {
      bytes -= done[0].snapshot.bytes
      discard(done.removeFirst().snapshot)
    }
  }

  /// The command failed: what it did to the network on the way is taken back.
  func rollBack(_ pending: Pending, _ state: WorkbenchState) {
    if case .untouched = pending.snapshot.model { return }
    try? pending.snapshot.restoreModel(state)
    discard(pending)
  }

  private func change(
    _ pending: Pending, _ entry: JournalEntry, _ state: WorkbenchState
  ) -> RunFolderChange? {
    let root = state.places.runs
    guard
      let slot = entry.writes.first(where: {
        $0.name.hasPrefix("run:") && $0 != "run:current" && !$0.isPattern
      })
    else { return nil }
    let name = String(slot.name.dropFirst("run:".count))
    if let copy = pending.copy, copy.run == name {
      return RunFolderChange(extended: name, copy: copy.url, in: root)
    }
    let isNew = { (found: String) in !pending.runNames.contains(found) }
    let aside = RunDirectory.all(in: root).map(\.name).first {
      isNew($0) && $0.hasPrefix("\(name).") && pending.runNames.contains(name)
    }
    return RunFolderChange(created: name, movedAside: aside, in: root)
  }

  // MARK: Back and forth

  /// Takes the latest command back.
  ///
  /// - Returns: the step, as it is now; nil when there is none.
  func undo(_ state: WorkbenchState) throws -> Step? {
    guard let step = try swapped(done.last, state, run: { try $0?.undo() }) else { return nil }
    done.removeLast()
    undone.append(step)
    return step
  }

  /// Does the command again that was undone last.
  func redo(_ state: WorkbenchState) throws -> Step? {
    guard let step = try swapped(undone.last, state, run: { try $0?.redo() }) else { return nil }
    undone.removeLast()
    done.append(step)
    return step
  }

  /// Gives the session the state that a step keeps; the step keeps the present one instead.
  private func swapped(
    _ step: Step?, _ state: WorkbenchState, run: (inout RunFolderChange?) throws -> Void
  ) throws -> Step? {
    guard var step else { return nil }
    let present = try present(like: step.snapshot, state)
    try step.snapshot.restore(state)
    try run(&step.run)
    discard(step.snapshot)
    step.snapshot = present
    return step
  }

  /// The present state, with the network if the other snapshot has one.
  private func present(like other: StateSnapshot, _ state: WorkbenchState) throws -> StateSnapshot {
    if case .untouched = other.model { return try StateSnapshot(state, modelFile: nil) }
    return try StateSnapshot(state, modelFile: nextFile())
  }

  // MARK: Files

  /// Forgets everything and removes its files; runs stay.
  func clear(_ state: WorkbenchState) {
    done = []
    undone = []
    try? FileManager.default.removeItem(at: folder)
    let copies = RunFolderChange.copies(in: state.places.runs)
    let own = "-\(getpid())"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: copies.path)) ?? []
    for name in names where name.contains(own) {
      try? FileManager.default.removeItem(at: copies.appending(path: name))
    }
    // Only succeeds when it is empty.
    rmdir(copies.path)
  }

  private func discard(_ pending: Pending) {
    discard(pending.snapshot)
    if let copy = pending.copy { try? FileManager.default.removeItem(at: copy.url) }
  }

  private func discard(_ snapshot: StateSnapshot) {
    guard case .saved(let model) = snapshot.model else { return }
    try? FileManager.default.removeItem(at: model.file)
  }
}

extension StateSnapshot {
  /// Whether cells were added, edited or moved since.
  func hasOtherCells(than state: WorkbenchState) -> Bool {
    cells.document != state.cells.document
  }
}
