/// What can be wrong with a checkpoint.
public enum CheckpointError: ModelError, Equatable {
  /// The file cannot be read.
  case unreadable(file: String, reason: String)
  /// The file is something else.
  case notACheckpoint(file: String)
  /// The file ends before its contents do.
  case truncated(file: String)
  /// The contents are not those that were written.
  case damaged(file: String)
  /// A newer program wrote the file.
  case newerFormat(file: String, version: Int)
  /// A tensor that the network or the optimizer needs is not in the file.
  case missingTensor(file: String, name: String)
  /// A tensor has other dimensions than the network's.
  case wrongShape(file: String, name: String, found: [Int], expected: [Int])
  /// The folder holds no checkpoint that can be read.
  case noneUsable(folder: String)
  /// The folder holds no checkpoint of this epoch.
  case noSuchEpoch(folder: String, epoch: Int, present: [Int])
  /// The folder holds no checkpoint of a best epoch.
  case noBest(folder: String)
}

extension CheckpointError {
  /// What went wrong, in one line.
  public var message: String {
    switch self {
    case .unreadable(let file, let reason): return "cannot read '\(file)': \(reason)"
    case .notACheckpoint(let file): return "'\(file)' is not a checkpoint of this program"
    case .truncated(let file): return "the checkpoint '\(file)' is cut short"
    case .damaged(let file):
      return "the checkpoint '\(file)' is damaged: its contents do not match its digest"
    case .newerFormat(let file, let version):
      return "the checkpoint '\(file)' has format \(version), which this program does not know"
    case .missingTensor(let file, let name): return "the checkpoint '\(file)' has no '\(name)'"
    case .wrongShape(let file, let name, let found, let expected):
      return "'\(name)' in '\(file)' has shape \(found), expected \(expected)"
    case .noneUsable(let folder): return "'\(folder)' has no usable checkpoint"
    case .noSuchEpoch(let folder, let epoch, _):
      return "'\(folder)' has no checkpoint of epoch \(epoch)"
    case .noBest(let folder):
      return "'\(folder)' has no checkpoint of a best epoch; none was evaluated yet"
    }
  }

  /// What the user can do about it.
  public var advice: String? {
    switch self {
    case .newerFormat: return "use the newer program"
    case .noSuchEpoch(_, _, let present) where !present.isEmpty:
      return "there are those of epochs \(present.map(String.init).joined(separator: ", "))"
    case .wrongShape: return "load the network that was trained, with the same number of classes"
    default: return nil
    }
  }

  /// Which sort of failure this is.
  public var kind: ModelErrorKind {
    if case .noSuchEpoch = self { return .usage }
    return .resource
  }
}
