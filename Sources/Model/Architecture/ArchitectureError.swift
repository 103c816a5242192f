/// A model name, a class count or an input size that makes no sense.
public enum ArchitectureError: Error, Sendable, Equatable {
  case unknownVariant(String, closest: [String])
  case unknownTag(String, variant: String, known: [String])
  case classCount(Int)
  case inputSize(Int, smallest: Int)
  /// A transformer's patches must cover the image.
  case patchedInputSize(Int, patch: Int)
  /// A transformer's classifier sees one token.
  case nothingToPool(String)
  /// Images have at least one channel.
  case inputChannels(Int)
  /// Pictures have red, green and blue, or brightness alone.
  case noPictures(Int)
  case batchSize(Int)
  /// Batch statistics of one single value per channel say nothing; PyTorch refuses it too.
  case singleValuePerChannel(inputSize: Int)
  case workspaceTooLarge(batch: Int, inputSize: Int)
  case memory(needed: Int, available: Int, batch: Int, inputSize: Int)
}

extension ArchitectureError: ModelError {
  /// Memory is a resource; everything else is a request that makes no sense.
  public var kind: ModelErrorKind {
    if case .memory = self { .resource } else { .usage }
  }

  /// What went wrong, in one line.
  public var message: String {
    switch self {
    case .unknownVariant(let name, _):
      "unknown model '\(name)'"
    case .unknownTag(let tag, let variant, let known):
      known.isEmpty
        ? "'\(variant)' has no released weights, so no tag '\(tag)'"
        : "'\(variant)' has no weights tagged '\(tag)'; there are \(quotedList(known))"
    case .classCount(let count):
      "a classifier of \(count) classes makes no sense"
    case .inputSize(let size, let smallest):
      "an input of \(size)x\(size) pixels is too small for the network; the least is \(smallest)"
    case .patchedInputSize(let size, let patch):
      "an input of \(size)x\(size) pixels cannot be cut into patches of \(patch)x\(patch)"
    case .nothingToPool(let name):
      "'\(name)' has no pooling to choose: its classifier sees the class token"
    case .inputChannels(let count):
      "a network for images of \(count) channels makes no sense"
    case .noPictures(let count):
      "the network takes images of \(count) channels, and pictures have 3 or 1"
    case .batchSize(let count):
      "a batch of \(count) images makes no sense"
    case .singleValuePerChannel(let size):
      "batch norm cannot train on one image of \(size)x\(size) pixels: "
        + "its last maps have a single value per channel"
    case .workspaceTooLarge(let batch, let size):
      "a batch of \(batch) images of \(size)x\(size) pixels needs more memory than can be addressed"
    case .memory(let needed, let available, let batch, let size):
      "a batch of \(batch) images of \(size)x\(size) pixels needs \(gigabytes(needed)) of memory; "
        + "\(gigabytes(available)) are free"
    }
  }

  /// What the user can do about it.
  public var advice: String? {
    switch self {
    case .unknownVariant(_, let closest):
      closest.isEmpty ? nil : "did you mean \(quotedList(closest))?"
    case .singleValuePerChannel:
      "use a larger batch or a larger input"
    case .workspaceTooLarge, .memory:
      "use a smaller batch or a smaller input, or set grad-checkpointing=on to train"
    case .patchedInputSize(let size, let patch):
      "set input-size to a multiple of \(patch), such as \(max(patch, size / patch * patch))"
    case .nothingToPool: "leave global-pool= out"
    case .noPictures: "load it with in-chans=3, or in-chans=1 for brightness"
    case .unknownTag, .classCount, .inputSize, .inputChannels, .batchSize: nil
    }
  }
}

/// `'a'`, `'b'` or `'c'`.
func quotedList(_ names: [String]) -> String {
  let quoted = names.map { "'\($0)'" }
  guard quoted.count > 1, let last = quoted.last else { return quoted.first ?? "" }
  return quoted.dropLast().joined(separator: ", ") + " or " + last
}

/// Bytes as gigabytes with one decimal.
private func gigabytes(_ bytes: Int) -> String {
  let tenths = (bytes + 50_000_000) / 100_000_000
  return "\(tenths / 10).\(tenths % 10) GB"
}
