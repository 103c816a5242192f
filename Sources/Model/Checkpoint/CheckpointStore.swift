public import Foundation

/// The checkpoints of one run in a folder: `last`, `best`, the latest finished epochs, and those with
/// the best scores where they are asked for.
///
/// `last.safetensors` and `best.safetensors` are further names of an epoch's file where they can be,
/// so that they cost no space of their own.
public struct CheckpointStore: Sendable, Equatable {
  /// Which checkpoint is meant.
  public enum Selector: Sendable, Equatable {
    /// The latest state.
    case last
    /// The best epoch.
    case best
    /// The end of an epoch, counted from 1; 0 is the beginning of training.
    case epoch(Int)
  }

  /// A checkpoint in a listing.
  public struct Entry: Sendable, Equatable {
    /// The file.
    public let url: URL
    /// Epochs finished.
    public let epoch: Int
    /// Steps done in the epoch after them.
    public let epochStep: Int
    /// Steps done since training began.
    public let step: Int
    /// The evaluation of the last finished epoch.
    public let evaluation: Evaluation?
    /// Whether it is the latest state.
    public let isLast: Bool
    /// Whether it is the best epoch.
    public let isBest: Bool
    /// The size of the file.
    public let bytes: Int
    /// When it was written.
    public let modified: Date
  }

  /// The folder.
  public let folder: URL

  /// Looks at a folder, which need not exist yet.
  public init(folder: URL) {
    self.folder = folder
  }

  private var last: URL { folder.appending(path: "last.safetensors") }
  private var best: URL { folder.appending(path: "best.safetensors") }
  private func file(epoch: Int) -> URL {
    let digits = String(epoch)
    let zeros = String(repeating: "0", count: max(0, 4 - digits.count))
    return folder.appending(path: "epoch-\(zeros)\(digits).safetensors")
  }

  /// The finished epochs whose checkpoints are there, the latest first.
  public var epochs: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("epoch-"), name.hasSuffix(".safetensors") else { return nil }
      return Int(name.dropFirst("epoch-".count).dropLast(".safetensors".count))
    }.sorted(by: >)
  }

  // MARK: Writing

  /// Writes the state of a training and makes it the last checkpoint.
  ///
  /// - Parameters:
  ///   - isBest: whether it becomes the best checkpoint too.
  ///   - keep: how many of the latest epochs' checkpoints stay.
  ///   - keepBest: of how many epochs the checkpoints stay because of their scores.
  func save(
    _ state: TrainingState, network: Network, optimizer: any Optimizer,
    average: WeightAverage? = nil, isBest: Bool, keep: Int, keepBest: Int = 0
  ) throws -> CheckpointReport {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw AtomicFile.Failure("create", folder.path)
    }
    let isWithinEpoch = state.epochStep > 0
    let target = isWithinEpoch ? last : file(epoch: state.completedEpochs)
    try Checkpoint.write(
      state, network: network, optimizer: optimizer, average: average, to: target)
    if isBest { try AtomicFile.link(target, to: best) }
    if !isWithinEpoch {
      try AtomicFile.link(target, to: last)
      try prune(keep: keep, best: keepBest, state)
    }
    return CheckpointReport(
      epoch: state.completedEpochs, step: state.step, name: target.lastPathComponent)
  }

  /// Removes the checkpoints of all but the latest and the best epochs; the last and the best state
  /// stay.
  ///
  /// - Parameters:
  ///   - keep: how many of the latest epochs stay.
  ///   - best: how many epochs stay for their scores.
  /// - Returns: the epochs that were removed.
  @discardableResult
  public func prune(keep: Int, best: Int = 0) throws -> [Int] {
    guard best > 0 else { return try prune(keep: keep, best: 0, nil) }
    return try prune(keep: keep, best: best, latest().checkpoint.state)
  }

  @discardableResult
  private func prune(keep: Int, best: Int, _ state: TrainingState?) throws -> [Int] {
    let present = epochs
    let latest = present.prefix(max(1, keep))
    var ranked: [Int] = []
    if best > 0, let state {
      ranked = CheckpointRanking(scores: state.scores, isLowerBetter: state.isLowerBetter)
        .best(best, of: present)
    }
    let removed = present.filter { !latest.contains($0) && !ranked.contains($0) }
    for epoch in removed {
      guard unlink(file(epoch: epoch).path) == 0 || errno == ENOENT else {
        throw AtomicFile.Failure("remove", file(epoch: epoch).path)
      }
    }
    return removed
  }

  /// Makes a checkpoint the last one, before training goes on from it: later epochs' checkpoints are
  /// removed, and the best is again the best of what is left, as far as its file is.
  public func rewind(to checkpoint: Checkpoint) throws {
    let state = checkpoint.state
    let isLast = isSameFile(checkpoint.url, last)
    if !isLast { try AtomicFile.link(checkpoint.url, to: last) }
    for epoch in epochs where epoch > state.completedEpochs {
      guard unlink(file(epoch: epoch).path) == 0 else {
        throw AtomicFile.Failure("remove", file(epoch: epoch).path)
      }
    }
    if let bestState = try? Checkpoint.state(of: best),
      bestState.completedEpochs > state.completedEpochs
    {
      unlink(best.path)
      if let epoch = state.best?.epoch, epochs.contains(epoch) {
        try AtomicFile.link(file(epoch: epoch), to: best)
      }
    }
  }

  // MARK: Reading

  /// Reads and verifies a checkpoint.
  /// - Throws: `CheckpointError`.
  public func load(_ selector: Selector) throws -> Checkpoint {
    switch selector {
    case .last: return try latest().checkpoint
    case .best:
      guard FileManager.default.fileExists(atPath: best.path) else {
        throw CheckpointError.noBest(folder: folder.path)
      }
      return try Checkpoint(contentsOf: best)
    case .epoch(let epoch):
      guard epochs.contains(epoch) else {
        if let best = try? Checkpoint(contentsOf: best), best.state.completedEpochs == epoch {
          return best
        }
        throw CheckpointError.noSuchEpoch(
          folder: folder.path, epoch: epoch, present: epochs.reversed())
      }
      return try Checkpoint(contentsOf: file(epoch: epoch))
    }
  }

  /// The latest state that can be read: the last checkpoint or, when it is damaged, the latest of the
  /// older ones.
  ///
  /// - Returns: the checkpoint, and what is wrong with the later ones that were passed over.
  /// - Throws: `CheckpointError`: what is wrong with the last one when no other can be read either.
  public func latest() throws -> (checkpoint: Checkpoint, passedOver: [CheckpointError]) {
    var problems: [CheckpointError] = []
    for url in [last] + epochs.map(file(epoch:)) + [best]
    where FileManager.default.fileExists(atPath: url.path) {
      do {
        return (try Checkpoint(contentsOf: url), problems)
      } catch let error as CheckpointError {
        problems.append(error)
      }
    }
    throw problems.first ?? CheckpointError.noneUsable(folder: folder.path)
  }

  /// The checkpoints, the latest first; files that cannot be read are left out.
  public func list() -> [Entry] {
    var files = epochs.map(file(epoch:))
    for extra in [best, last] where !files.contains(where: { isSameFile($0, extra) }) {
      files.append(extra)
    }
    return files.compactMap(entry).sorted { $0.step > $1.step }
  }

  private func entry(_ url: URL) -> Entry? {
    guard let state = try? Checkpoint.state(of: url), let status = Self.status(url) else {
      return nil
    }
    return Entry(
      url: url, epoch: state.completedEpochs, epochStep: state.epochStep, step: state.step,
      evaluation: state.lastEvaluation, isLast: isSameFile(url, last),
      isBest: isSameFile(url, best), bytes: Int(status.st_size),
      modified: Date(timeIntervalSince1970: Double(status.st_mtim.tv_sec)))
  }

  private func isSameFile(_ first: URL, _ second: URL) -> Bool {
    guard let first = Self.status(first), let second = Self.status(second) else { return false }
    return first.st_ino == second.st_ino && first.st_dev == second.st_dev
  }

  private static func status(_ url: URL) -> stat? {
    var status = stat()
    return stat(url.path, &status) == 0 ? status : nil
  }
}
