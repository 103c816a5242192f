internal import Foundation

/// Kinds of files that weights come in, or that stand where weights should be, other than
/// safetensors: recognised by their contents.
public enum ForeignFormat: Sendable, Equatable {
  /// What `torch.save` writes: a zip archive around a pickle.
  case torchZip
  /// What `torch.save` wrote before PyTorch 1.6, and any other pickle.
  case torchPickle
  case numpyArchive
  case numpyArray
  case hdf5
  case tensorFlow
  /// A zip archive of something else.
  case zip
  case gzip
  /// A page that a web server sent instead of the file.
  case webPage
  /// What git leaves in place of a file that it did not fetch.
  case lfsPointer

  /// Recognises a file by its first and last bytes; TensorFlow's data files, which have no mark, by
  /// the name.
  init?(_ bytes: UnsafeRawBufferPointer, name: String) {
    func begins(_ mark: [UInt8]) -> Bool { bytes.starts(with: mark) }
    func begins(_ mark: String) -> Bool { begins(Array(mark.utf8)) }
    if begins([0x50, 0x4B, 0x03, 0x04]) || begins([0x50, 0x4B, 0x05, 0x06]) {
      self = Self.archive(bytes)
    } else if begins([0x80]), bytes.count > 2, (2...5).contains(bytes[1]) {
      self = .torchPickle
    } else if begins([0x93] + Array("NUMPY".utf8)) {
      self = .numpyArray
    } else if begins([0x89] + Array("HDF\r\n".utf8) + [0x1A, 0x0A]) {
      self = .hdf5
    } else if begins([0x1F, 0x8B]) {
      self = .gzip
    } else if begins("version https://git-lfs") {
      self = .lfsPointer
    } else if Self.isWebPage(bytes) {
      self = .webPage
    } else if bytes.suffix(8).elementsEqual([0x57, 0xFB, 0x80, 0x8B, 0x24, 0x75, 0x47, 0xDB])
      || name.contains(".data-00000-of-") || name == "saved_model.pb"
    {
      // The mark ends LevelDB's tables, which TensorFlow's index files are.
      self = .tensorFlow
    } else {
      return nil
    }
  }

  /// Tells archives apart by the name of the first file in them.
  private static func archive(_ bytes: UnsafeRawBufferPointer) -> ForeignFormat {
    guard bytes.count > 30 else { return .zip }
    let length = Int(bytes[26]) | Int(bytes[27]) << 8
    let name = String(decoding: bytes[30..<min(bytes.count, 30 + length)], as: UTF8.self)
    if name.hasSuffix(".npy") { return .numpyArchive }
    // PyTorch's archives have one folder with these files, the pickle nearly always first.
    let marks = ["data.pkl", ".format_version", ".storage_alignment", "byteorder", "version"]
    return name.contains("/") && marks.contains { name.hasSuffix("/" + $0) } ? .torchZip : .zip
  }

  private static func isWebPage(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let start = String(decoding: bytes.prefix(256), as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
    return start.hasPrefix("<!doctype html") || start.hasPrefix("<html")
      || start.hasPrefix("<?xml")
  }

  /// The kind of weight file that is read from a single file of this format.
  var container: WeightContainer? {
    switch self {
    case .torchZip: .torchZip
    case .torchPickle: .torchLegacy
    case .numpyArchive: .numpyArchive
    case .numpyArray: .numpyArray
    case .hdf5: .hdf5
    case .tensorFlow, .zip, .gzip, .webPage, .lfsPointer: nil
    }
  }

  /// What a folder that was given in place of a file holds.
  static func contents(of folder: URL) -> FolderContents {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    if let name = names.filter({ $0.hasSuffix(".safetensors") }).sorted().first {
      return .safeTensors(folder.appendingPathComponent(name).path)
    }
    return names.contains { $0.hasSuffix(".index") } ? .tensorFlow : .other
  }

  /// What a folder holds.
  public enum FolderContents: Sendable, Equatable {
    /// A file that can be read; its path.
    case safeTensors(String)
    case tensorFlow
    /// TensorFlow's format for programs, with weights in a folder of its own.
    case savedModel
    /// Several files of weights; some of their names.
    case several([String])
    case other
  }
}
