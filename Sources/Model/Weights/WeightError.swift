/// How a file's tensors differ from a network's.
public struct Misfit: Sendable, Equatable {
  /// The path of the file.
  public let file: String
  /// The name of the network's variant.
  public let variant: String
  /// Tensors of the network that the file lacks.
  public let missing: [String]
  /// Tensors of the file that the network lacks.
  public let unexpected: [String]
  /// Tensors of both in different forms.
  public let mismatched: [TensorMismatch]
  /// The variants that have exactly the file's tensors.
  public let looksLike: [String]
}

/// Where released weights would be found.
public struct ReleasedWeights: Sendable, Equatable {
  /// The variant with its tag.
  public let name: String
  /// Where they are fetched from.
  public let address: String
  /// The file's name in timm's releases and so in PyTorch's hub cache, where there is one.
  public let releaseFile: String?
  /// Where the program looks for the file first.
  public let destination: String
}

/// What can be wrong with a file of weights.
public enum WeightError: ModelError, Equatable {
  /// The file cannot be opened.
  case unreadable(String, reason: String)
  /// The path is a folder's.
  case directory(String, contents: ForeignFormat.FolderContents)
  case empty(String)
  /// The file is of a kind that is not read.
  case foreignFormat(String, ForeignFormat)
  /// The file is no safetensors file, or a damaged one.
  case damaged(String, SafeTensors.Problem)
  /// The file is a damaged one of another kind, or uses something that is not read.
  case damagedContainer(String, WeightContainer, ContainerProblem)
  /// The file's name has the beginning of another SHA-256 than the file.
  case wrongDigest(String, expected: String, found: String)
  /// The tensors are not those of the network.
  case doesNotFit(Misfit)
  /// Not one tensor is of use.
  case nothingFits(String, variant: String, examples: [String])
  /// The name of a file to be written has the ending of no format that is written.
  case unknownFormat(String)
  /// The format has no room for that much.
  case tooLargeToWrite(String)
  /// No weights of the variant exist; a sibling has some.
  case neverReleased(variant: String, sibling: String?)
  /// The weights are not on this machine.
  case notFound(ReleasedWeights)
}

extension WeightError {
  /// Which sort of failure this is.
  public var kind: ModelErrorKind {
    switch self {
    case .neverReleased, .unknownFormat: .usage
    default: .resource
    }
  }

  /// What went wrong, in one line.
  public var message: String {
    switch self {
    case .unreadable(let file, let reason): "cannot read '\(file)': \(reason)"
    case .directory(let file, .several(let names)):
      "'\(file)' is a folder with several files of weights: \(quotedList(names))"
    case .directory(let file, _): "'\(file)' is a folder, not a file of weights"
    case .empty(let file): "'\(file)' is empty"
    case .foreignFormat(let file, let format): "'\(file)' is \(format.phrase)"
    case .damaged(let file, .notSafeTensors): "'\(file)' is no safetensors file"
    case .damaged(let file, .truncated(let needed, let present)):
      "'\(file)' is cut short: it has \(present) of at least \(needed) bytes"
    case .damaged(let file, let problem):
      "'\(file)' is a damaged safetensors file: \(problem.phrase)"
    case .damagedContainer(let file, let container, .pickle(let error)):
      "'\(file)' (\(container.rawValue)): \(error.message)"
    case .damagedContainer(let file, let container, let problem) where problem.isSound:
      "'\(file)' (\(container.rawValue)) cannot be read: \(problem.phrase)"
    case .damagedContainer(let file, let container, let problem):
      "'\(file)' (\(container.rawValue)) is damaged: \(problem.phrase)"
    case .wrongDigest(let file, let expected, let found):
      "'\(file)' has the SHA-256 \(found.prefix(16))…, but its name says \(expected)…"
    case .doesNotFit(let misfit):
      "'\(misfit.file)' does not fit '\(misfit.variant)': \(misfit.differences)"
    case .nothingFits(let file, let variant, let examples):
      "'\(file)' has no tensor that fits '\(variant)'"
        + (examples.isEmpty ? "" : "; it has \(examples.joined(separator: ", ")), …")
    case .unknownFormat(let file): "'\(file)' ends like no format that weights are written in"
    case .tooLargeToWrite(let file): "'\(file)' would be larger than its format allows"
    case .neverReleased(let variant, _): "there are no released weights of '\(variant)'"
    case .notFound(let source): "the weights of '\(source.name)' are not on this machine"
    }
  }

  /// What the user can do about it.
  public var advice: String? {
    switch self {
    case .directory(_, .safeTensors(let file)): "give the file in it: '\(file)'"
    case .directory(_, .tensorFlow): "give the folder as weights="
    case .directory(_, .savedModel): "give the folder 'variables' in it"
    case .directory(_, .several): "give one of them"
    case .foreignFormat(_, let format): format.advice
    case .damaged(_, .truncated): "fetch or copy it again"
    case .damaged(_, .notSafeTensors):
      "give a safetensors file, such as model.safetensors of a timm repository on huggingface.co"
    case .damaged(_, .unknownType): nil
    case .wrongDigest: "the file is damaged or is another one: fetch it again, or rename it"
    case .empty, .damaged: "fetch or write it again"
    case .damagedContainer(_, _, .pickle(.forbiddenGlobal)):
      "nothing of it was run; save the model's state_dict() in its place"
    case .damagedContainer(_, _, let problem): problem.isSound ? nil : "fetch or write it again"
    case .doesNotFit(let misfit):
      misfit.looksLike.isEmpty
        ? "strict=off takes what fits and gives the rest new weights"
        : "it looks like \(quotedList(misfit.looksLike)): load that"
    case .nothingFits: "the names must be those of timm's state dict, such as 'conv_stem.weight'"
    case .unknownFormat: "name it FILE.safetensors, FILE.pth or FILE.npz"
    case .tooLargeToWrite: "write a safetensors file"
    case .neverReleased(_, let sibling):
      sibling.map { "'\($0)' has the same layers and released weights" }
        ?? "give a file with weights="
    case .notFound(let source): source.advice
    case .unreadable, .directory: nil
    }
  }
}

extension Misfit {
  /// Up to five tensors of each kind of difference.
  fileprivate var differences: String {
    func part(_ names: [String], _ what: String) -> String? {
      guard !names.isEmpty else { return nil }
      let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
      return "\(names.count) \(what) (\(shown))"
    }
    return [
      part(missing, "missing"), part(unexpected, "unexpected"),
      part(mismatched.map(\.description), "of another form"),
    ].compactMap { $0 }.joined(separator: ", ")
  }
}

extension ReleasedWeights {
  fileprivate var advice: String {
    "'download weights \(name)' fetches them; or save \(address) as '\(destination)'"
      + (releaseFile.map { "; PyTorch's hub has them as \($0)" } ?? "")
  }
}

extension ForeignFormat {
  fileprivate var phrase: String {
    switch self {
    case .torchZip: "a PyTorch file (zip), not a safetensors file"
    case .torchPickle: "a PyTorch file (legacy pickle), not a safetensors file"
    case .numpyArchive: "a NumPy archive (npz), not a safetensors file"
    case .numpyArray: "a NumPy file (npy), not a safetensors file"
    case .hdf5: "an HDF5 file, such as Keras writes, not a safetensors file"
    case .tensorFlow: "a part of a TensorFlow checkpoint whose other parts are missing"
    case .zip: "a zip archive, not a file of weights"
    case .gzip: "a gzip archive, not a file of weights"
    case .webPage: "a web page, not a file of weights"
    case .lfsPointer: "a Git LFS pointer, not the file itself"
    }
  }

  fileprivate var advice: String {
    switch self {
    case .torchZip, .torchPickle, .numpyArchive, .numpyArray, .hdf5:
      "'convert' makes a safetensors file of it"
    case .tensorFlow: "put 'NAME.index' and 'NAME.data-…' side by side"
    case .zip, .gzip: "unpack it, and give the file of weights in it"
    case .webPage: "the download went wrong: fetch the file itself"
    case .lfsPointer: "fetch the file with 'git lfs pull'"
    }
  }
}

extension ContainerProblem {
  /// Whether the file may be as its writer meant it.
  fileprivate var isSound: Bool {
    switch self {
    case .unsupported, .noTensors: true
    default: false
    }
  }
}

extension SafeTensors.Problem {
  /// What is wrong, as the end of a sentence.
  fileprivate var phrase: String {
    switch self {
    case .notSafeTensors: "it does not begin like one"
    case .truncated(let needed, let present): "it has \(present) of at least \(needed) bytes"
    case .headerTooLarge(let length):
      "its header claims \(length) bytes, more than the \(SafeTensors.headerLimit) allowed"
    case .notText: "its header is no UTF-8 text"
    case .syntax(let byte, let expected):
      "expected \(expected) at byte \(byte) of its header"
    case .numberTooLarge(let byte): "the number at byte \(byte) of its header is too large"
    case .duplicateName(let name): "its header names '\(name)' twice"
    case .incomplete(let tensor):
      "its header gives no 'dtype', 'shape' and two 'data_offsets' for '\(tensor)'"
    case .unknownType(let type, let tensor):
      "'\(tensor)' has elements of the type '\(type)', which is not known here"
    case .tooManyDimensions(let count, let tensor): "'\(tensor)' has \(count) dimensions"
    case .tooLarge(let tensor): "'\(tensor)' has more elements than can be addressed"
    case .reversedOffsets(let tensor): "'\(tensor)' ends before it begins"
    case .wrongExtent(let tensor, let expected, let found):
      "'\(tensor)' occupies \(found) bytes, its dimensions ask for \(expected)"
    case .overlap(let first, let second): "'\(first)' and '\(second)' overlap"
    case .gap(let tensor, let bytes): "\(bytes) bytes before '\(tensor)' belong to no tensor"
    case .trailingBytes(let bytes): "\(bytes) bytes at its end belong to no tensor"
    }
  }
}
