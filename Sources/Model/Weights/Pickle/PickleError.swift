/// Why a pickle was refused. Offsets are bytes from the start of the pickle.
public enum PickleError: Error, Sendable, Equatable {
  /// The data end inside an instruction or before STOP.
  case truncated(offset: Int)
  /// A byte that is no instruction.
  case unknownInstruction(code: UInt8, offset: Int)
  /// An instruction that needs values which are not there, or of another kind.
  case badInstruction(name: String, offset: Int)
  /// A class or function that no data file needs. Nothing was imported or called.
  case forbiddenGlobal(name: String, offset: Int)
  /// A protocol newer than 5.
  case unsupportedProtocol(Int, offset: Int)
  /// More values than the reader accepts.
  case tooLarge(limit: Int, offset: Int)
  /// The values are not of the form that was asked for.
  case unexpected(String)
}

extension PickleError {
  /// The problem in words.
  var message: String {
    switch self {
    case .truncated(let offset):
      return "the pickle ends too early, at offset \(offset)"
    case .unknownInstruction(let code, let offset):
      return "byte \(code) at offset \(offset) is no pickle instruction"
    case .badInstruction(let name, let offset):
      return "damaged pickle: \(name) at offset \(offset) does not fit what stands before it"
    case .forbiddenGlobal(let name, let offset):
      return "the pickle asks for '\(name)' at offset \(offset), which no data file needs"
    case .unsupportedProtocol(let version, let offset):
      return "pickle protocol \(version) at offset \(offset) is newer than 5"
    case .tooLarge(let limit, let offset):
      return "the pickle has more than \(limit) values at offset \(offset)"
    case .unexpected(let problem):
      return problem
    }
  }
}
