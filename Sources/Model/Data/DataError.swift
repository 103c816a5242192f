/// What can be wrong with data sets, picture files and requests about them.
public enum DataError: ModelError, Equatable {
  /// A file could not be read at all.
  case unreadable(file: String, reason: String)
  /// A file that should hold something is empty.
  case emptyFile(file: String)
  /// The folder named by the user is not there.
  case missingFolder(path: String)
  /// The folder holds none of the layouts of the data set.
  case noDataset(
    name: String, path: String, folders: [String], archive: DatasetArchive, archiveIsThere: Bool)
  /// One file of a data set is missing.
  case missingFile(file: String, folder: String, archive: DatasetArchive)
  /// The size is no whole number of records, as of a file that was cut off.
  case partialRecord(file: String, size: Int, recordBytes: Int)
  /// A label that no class has.
  case labelOutOfRange(file: String, record: Int, offset: Int?, label: Int, classCount: Int)
  /// The pickle is damaged or uses something that no data file needs.
  case pickle(file: String, problem: PickleError)
  /// The pickle is sound but does not hold what the data set needs.
  case unexpectedContents(file: String, problem: String)
  /// A picture file that cannot be decoded.
  case image(file: String, problem: ImageProblem)
  /// The folder has no JPEG or PNG file.
  case noImages(path: String)
  /// `limit=` must be at least one.
  case limit(Int)
}

/// Why a picture could not be decoded.
public enum ImageProblem: Sendable, Equatable {
  /// Neither JPEG nor PNG.
  case unknownFormat
  /// The file ends too early.
  case truncated(format: String)
  /// The decoder's own words.
  case damaged(format: String, reason: String)
  /// More pixels than the program accepts.
  case tooLarge(width: Int, height: Int)
  /// There is not enough memory for the pixels.
  case outOfMemory(width: Int, height: Int)
}

extension DataError {
  /// What went wrong, in one line.
  public var message: String {
    switch self {
    case .unreadable(let file, let reason):
      return "cannot read '\(file)': \(reason)"
    case .emptyFile(let file):
      return "'\(file)' is empty"
    case .missingFolder(let path):
      return "there is no folder '\(path)'"
    case .noDataset(let name, let path, let folders, _, _):
      return
        "no \(name) in '\(path)': expected \(folders.map { "'\($0)'" }.joined(separator: " or "))"
    case .missingFile(let file, let folder, _):
      return "'\(file)' is missing in '\(folder)'"
    case .partialRecord(let file, let size, let recordBytes):
      let record = size / recordBytes
      return
        "'\(file)' has \(size) bytes, no whole number of records of \(recordBytes): it ends in "
        + "record \(record) (offset \(record * recordBytes)), cut off, or is another file"
    case .labelOutOfRange(let file, let record, let offset, let label, let classCount):
      let place = offset.map { ", offset \($0)" } ?? ""
      return "'\(file)', record \(record)\(place): label \(label) is not one of "
        + "0...\(classCount - 1)"
    case .pickle(let file, let problem):
      return "'\(file)': \(problem.message)"
    case .unexpectedContents(let file, let problem):
      return "'\(file)': \(problem)"
    case .image(let file, let problem):
      return "cannot decode '\(file)': \(problem.message)"
    case .noImages(let path):
      return "no .jpg, .jpeg or .png file in '\(path)'"
    case .limit(let value):
      return "limit is \(value), expected at least 1"
    }
  }

  /// What the user can do about it.
  public var advice: String? {
    switch self {
    case .noDataset(let name, let path, _, let archive, let isThere):
      return isThere
        ? "unpack it: tar -xzf '\(path)/\(archive.name)' -C '\(path)'"
        : "'download \(name) dir=\(path)' fetches and unpacks \(archive.url)"
    case .missingFile(_, let folder, let archive):
      return "unpack \(archive.name) again; its files belong in '\(folder)' "
        + "(\(archive.url), md5 \(archive.md5))"
    case .partialRecord, .emptyFile, .pickle, .labelOutOfRange, .unexpectedContents:
      return "unpack or download the archive again and compare its checksum"
    case .missingFolder:
      return "check the spelling; a relative path starts at the folder you are in"
    case .image(_, .tooLarge):
      return "make the picture smaller first"
    case .unreadable, .image, .noImages, .limit:
      return nil
    }
  }

  /// `usage` for requests that make no sense, `resource` for everything about files.
  public var kind: ModelErrorKind {
    switch self {
    case .limit: .usage
    default: .resource
    }
  }
}

extension ImageProblem {
  /// The problem in words.
  var message: String {
    switch self {
    case .unknownFormat:
      return "neither a JPEG nor a PNG picture"
    case .truncated(let format):
      return "the \(format) data end too early"
    case .damaged(let format, let reason):
      return "damaged \(format) data (\(reason))"
    case .tooLarge(let width, let height):
      return "\(width) x \(height) pixels, more than \(ImageCodec.maximumPixels >> 20) megapixels"
    case .outOfMemory(let width, let height):
      return "not enough memory for \(width) x \(height) pixels"
    }
  }
}
