/// A weight file that cannot be found, read, written or used.
public enum WeightError: Error, Sendable, Equatable {
  /// The file system said no.
  case cannotRead(path: String, reason: String)
  /// The file system said no.
  case cannotWrite(path: String, reason: String)
  /// The file is something else than safetensors.
  case unreadableFormat(path: String, format: String)
  /// The file claims to be safetensors but breaks its rules.
  case damaged(path: String, SafeTensorsProblem)
  /// A tensor's numbers are of a type that does not convert to float32.
  case unsupportedType(path: String, tensor: String, type: String)
  /// The file's tensors are not those of the network.
  case mismatch(LoadReport, model: String)
  /// No released weights exist.
  case untrained(model: String)
  /// The released weights are nowhere on this machine.
  case notFound(WeightAdvice)
}

/// What is wrong with a safetensors file.
public enum SafeTensorsProblem: Error, Sendable, Equatable {
  case tooShort(bytes: Int)
  case headerTooLarge(bytes: UInt64)
  case headerBeyondEnd(bytes: UInt64, file: Int)
  case invalidText
  case invalidJSON(offset: Int, expected: String)
  case duplicateName(String)
  case notATensor(String)
  case unknownType(tensor: String, type: String)
  case badShape(tensor: String)
  case badOffsets(tensor: String)
  case wrongSize(tensor: String, bytes: Int, expected: Int)
  case overlap(String, String)
  case gap(before: String)
  case truncated(expected: Int, bytes: Int)
  case trailingBytes(Int)
}

/// Where released weights were looked for, and how to get them.
public struct WeightAdvice: Sendable, Equatable {
  /// The variant with its tag.
  public let model: String
  /// The Hugging Face repository that has the file.
  public let repository: String
  /// The folders that were looked into.
  public let searched: [String]
  /// Where the file may be put so that it is found.
  public let target: String
  /// A file of the right name that cannot be read yet (PyTorch's pickle format).
  public let unreadable: String?
  /// Other tags of the same variant that are on this machine.
  public let otherTags: [String]
}

extension WeightError: ModelError {
  /// All of them are about files.
  public var kind: ModelErrorKind { .resource }

  /// What went wrong, in one line.
  public var message: String {
    switch self {
    case .cannotRead(let path, let reason): "cannot read '\(path)': \(reason)"
    case .cannotWrite(let path, let reason): "cannot write '\(path)': \(reason)"
    case .unreadableFormat(let path, let format):
      "'\(path)' is \(format), not a safetensors file"
    case .damaged(let path, let problem):
      "'\(path)' is no valid safetensors file: \(problem.message)"
    case .unsupportedType(let path, let tensor, let type):
      "tensor '\(tensor)' of '\(path)' has type \(type), which does not convert to float32"
    case .mismatch(let report, let model):
      "'\(report.path)' does not fit \(model): \(report.problems)"
    case .untrained(let model): "'\(model)' has no released weights"
    case .notFound(let advice):
      if let file = advice.unreadable {
        "the weights of \(advice.model) are here only as '\(file)', a PyTorch pickle that cannot "
          + "be read yet"
      } else {
        "the weights of \(advice.model) are not on this machine"
      }
    }
  }

  /// What the user can do about it.
  public var advice: String? {
    switch self {
    case .unreadableFormat:
      "convert it with Python: safetensors.torch.save_file(state_dict, 'model.safetensors')"
    case .notFound(let advice):
      advice.otherTags.isEmpty
        ? "put 'model.safetensors' of huggingface.co/\(advice.repository) at '\(advice.target)'"
        : "put 'model.safetensors' of huggingface.co/\(advice.repository) at '\(advice.target)', "
          + "or load \(quotedList(advice.otherTags)), which is here"
    case .untrained(let model):
      model.hasPrefix("tf_") ? nil : "the same network with Google's weights is 'tf_\(model)'"
    case .mismatch:
      "check the model's name; 'strict=off' loads what fits"
    case .cannotRead, .cannotWrite, .damaged, .unsupportedType: nil
    }
  }
}

extension SafeTensorsProblem {
  /// What is wrong, as the end of a sentence.
  var message: String {
    switch self {
    case .tooShort(let bytes): "\(bytes) bytes cannot hold a header"
    case .headerTooLarge(let bytes): "a header of \(bytes) bytes is absurd"
    case .headerBeyondEnd(let bytes, let file):
      "the header claims \(bytes) bytes but the file has \(file)"
    case .invalidText: "the header is not UTF-8 text"
    case .invalidJSON(let offset, let expected):
      "the header is no valid JSON at byte \(offset): expected \(expected)"
    case .duplicateName(let name): "'\(name)' appears twice in the header"
    case .notATensor(let name):
      "the entry '\(name)' lacks a dtype, a shape or data offsets"
    case .unknownType(let tensor, let type): "tensor '\(tensor)' has the unknown type '\(type)'"
    case .badShape(let tensor): "the shape of tensor '\(tensor)' is absurd"
    case .badOffsets(let tensor): "the data offsets of tensor '\(tensor)' lie outside the file"
    case .wrongSize(let tensor, let bytes, let expected):
      "tensor '\(tensor)' has \(bytes) bytes, its shape needs \(expected)"
    case .overlap(let first, let second): "tensors '\(first)' and '\(second)' overlap"
    case .gap(let name): "there is a gap before tensor '\(name)'"
    case .truncated(let expected, let bytes):
      "it is truncated: \(bytes) of \(expected) bytes of data are there"
    case .trailingBytes(let bytes): "\(bytes) bytes follow the last tensor"
    }
  }
}
