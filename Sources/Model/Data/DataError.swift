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
  /// A picture of a data set cannot be read or decoded.
  indirect case broken(DataError)
  /// A set has not one picture that can be decoded.
  case noSoundPicture(name: String)
  /// An archive that cannot be read.
  case archive(file: String, problem: ArchiveProblem)
  /// No folder of pictures stands for a class.
  case noClassFolders(path: String)
  /// There are folders to judge by, but none to learn from.
  case noTrainFolder(path: String, found: String)
  /// Two folders could be the same set.
  case twoFolders(path: String, first: String, second: String)
  /// A set has other classes than the training set.
  case classSets(part: String, missing: [String], extra: [String])
  /// The file of class names makes no sense.
  case classMap(file: String, problem: String)
  /// No folder has the name of a class in the class map.
  case noMappedClass(path: String, folder: String)
  /// Pictures were to be set aside for validation where there are some already.
  case ownValidation(name: String)
  /// Not even one picture can be set aside.
  case tooFewToSplit(name: String, count: Int)
  /// The files of a data set that is not fetched by the program are missing.
  case noFiles(name: String, path: String, file: String, address: String)
}

/// Why an archive could not be read.
public enum ArchiveProblem: Sendable, Equatable {
  /// It is no tar archive.
  case notTar
  /// It is compressed, so that nothing in it can be read on its own.
  case compressed(tool: String)
  /// A header that is damaged.
  case badHeader(offset: Int)
  /// The archive ends within a file.
  case cutOff(name: String, offset: Int)
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
    case .broken(let error):
      return error.message
    case .noSoundPicture(let name):
      return "not one picture of '\(name)' can be decoded"
    case .archive(let file, let problem):
      return "'\(file)' \(problem.message)"
    case .noClassFolders(let path):
      return "no folder in '\(path)' holds the pictures of a class"
    case .noTrainFolder(let path, let found):
      return "'\(path)' has a folder '\(found)', but no folder 'train'"
    case .twoFolders(let path, let first, let second):
      return "'\(path)' has both '\(first)' and '\(second)'"
    case .classSets(let part, let missing, let extra):
      let problems = [
        missing.isEmpty ? nil : "lacks \(Self.some(missing))",
        extra.isEmpty ? nil : "has \(Self.some(extra)) besides",
      ].compactMap(\.self)
      return "the \(part) set has other classes than the training set: it "
        + problems.joined(separator: " and ")
    case .classMap(let file, let problem):
      return "'\(file)' is no list of class names: \(problem)"
    case .noMappedClass(let path, let folder):
      return "no folder in '\(path)' is a class of the class map; there is '\(folder)'"
    case .ownValidation(let name):
      return "'\(name)' has a validation set of its own"
    case .tooFewToSplit(let name, let count):
      return "'\(name)' has \(count) training pictures, too few to set some aside for validation"
    case .noFiles(let name, let path, let file, _):
      return "no \(name) in '\(path)': expected '\(file)' or '\(file).gz'"
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
    case .broken:
      return "'data verify' lists every broken picture; broken=skip leaves them out"
    case .noClassFolders, .noImages:
      return "expected CLASS/….jpg, or train/CLASS/….jpg with val/CLASS/….jpg or test/CLASS/….jpg"
    case .noTrainFolder:
      return "call the folder of the pictures to learn from 'train'"
    case .twoFolders:
      return "keep one of them"
    case .classSets:
      return "make the folders equal, or name the classes that count with class-map=FILE"
    case .classMap:
      return "write one class name per line, in the order of the labels"
    case .noMappedClass:
      return "write the names of the folders, one per line"
    case .ownValidation:
      return "leave val-fraction out"
    case .tooFewToSplit:
      return "two pictures of a class are the least"
    case .noFiles(let name, let path, _, let address):
      return "'download \(name) dir=\(path)' fetches its files from \(address)"
    case .noSoundPicture:
      return "'data verify' says what is wrong with each"
    case .archive(let file, .compressed(let tool)):
      let unpack = tool == "bzip2" ? "bunzip2" : tool == "gzip" ? "gunzip" : "un\(tool)"
      return "unpack it once: \(unpack) --keep '\(file)'"
    case .archive(_, .notTar):
      return "pack the folder with: tar -cf FILE.tar FOLDER"
    case .archive:
      return "download or pack the archive again"
    case .unreadable, .image, .limit:
      return nil
    }
  }

  /// `usage` for requests that make no sense, `resource` for everything about files.
  public var kind: ModelErrorKind {
    switch self {
    case .limit, .ownValidation: .usage
    default: .resource
    }
  }

  /// A few names in words.
  private static func some(_ names: [String]) -> String {
    let shown = names.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
    return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
  }
}

extension ArchiveProblem {
  /// The problem in words, behind the archive's name.
  var message: String {
    switch self {
    case .notTar: return "is no tar archive"
    case .compressed(let tool):
      return "is compressed with \(tool), so that no picture can be read alone"
    case .badHeader(let offset): return "is damaged: no tar header at offset \(offset)"
    case .cutOff(let name, let offset): return "ends within '\(name)' (header at offset \(offset))"
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
