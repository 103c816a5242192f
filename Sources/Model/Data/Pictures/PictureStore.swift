import Foundation

/// A picture file in a folder or an archive.
struct PictureEntry: Sendable, Equatable {
  /// The path from the top of the store, with `/` between the names.
  let path: String
  /// Bytes of the file.
  let size: Int
  /// Where the bytes begin in the archive; 0 in a folder.
  var offset = 0
}

/// Where picture files lie. Every member may be called from any thread.
protocol PictureStore: Sendable {
  /// The folder or archive, for messages.
  var path: String { get }
  /// The JPEG and PNG files, in any order.
  var entries: [PictureEntry] { get }
  /// What was left out and why, one sentence each.
  var remarks: [String] { get }
  /// The file of an entry, for messages.
  func name(of entry: PictureEntry) -> String
  /// The bytes of an entry.
  ///
  /// - Throws: `DataError.unreadable`.
  func bytes(of entry: PictureEntry) throws -> [UInt8]
}

/// Which files of a folder or an archive are pictures, and what is said about the others.
struct PictureFilter {
  private var others = 0
  private var example = ""

  /// Whether a path is that of a JPEG or PNG file; counts the others. Hidden files and what
  /// archivers of other systems add are neither.
  mutating func accepts(_ path: String) -> Bool {
    let names = path.split(separator: "/")
    if names.contains(where: { Self.isHidden($0) }) { return false }
    guard let name = names.last else { return false }
    let ending = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() }
    if ["jpg", "jpeg", "png"].contains(ending ?? "") { return true }
    others += 1
    if example.isEmpty || path < example { example = path }
    return false
  }

  /// Whether a file or folder of this name is passed over without a word.
  static func isHidden(_ name: some StringProtocol) -> Bool {
    name.hasPrefix(".") || name == "__MACOSX"
  }

  /// What was not accepted.
  var remarks: [String] {
    switch others {
    case 0: []
    case 1: ["'\(example)' is neither a .jpg, .jpeg nor .png file and was left out"]
    default:
      ["\(others) files are neither .jpg, .jpeg nor .png and were left out, such as '\(example)'"]
    }
  }
}

/// The picture files of a folder and the folders in it.
struct PictureFolder: PictureStore {
  let path: String
  private(set) var entries: [PictureEntry] = []
  private(set) var remarks: [String] = []

  /// Folders deeper than this are not meant.
  private static let maximumDepth = 32

  /// A folder by what no other name can hide.
  private struct Identity: Hashable {
    let device: UInt64
    let number: UInt64

    init(_ status: stat) {
      device = UInt64(status.st_dev)
      number = UInt64(status.st_ino)
    }
  }

  /// Walks the folder. Links are followed, but not back to where they lie.
  ///
  /// - Throws: `DataError.missingFolder` or `.unreadable`.
  init(_ folder: URL) throws {
    path = folder.standardizedFileURL.path
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw DataError.missingFolder(path: path)
    }
    var filter = PictureFilter()
    var circles: [String] = []
    try walk("", above: [Identity(status)], filter: &filter, circles: &circles)
    remarks = filter.remarks
    if let first = circles.first {
      remarks.append("the link '\(first)' leads back to a folder above it and was left out")
    }
  }

  private mutating func walk(
    _ folder: String, above: [Identity], filter: inout PictureFilter, circles: inout [String]
  ) throws {
    let place = folder.isEmpty ? path : "\(path)/\(folder)"
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: place)
    } catch {
      throw DataError.unreadable(file: place, reason: plainReason(of: error))
    }
    for name in names where !PictureFilter.isHidden(name) {
      let inner = folder.isEmpty ? name : "\(folder)/\(name)"
      var status = stat()
      let isThere = stat("\(path)/\(inner)", &status) == 0
      if isThere, status.st_mode & S_IFMT == S_IFDIR {
        let identity = Identity(status)
        if above.contains(identity) || above.count > Self.maximumDepth {
          circles.append(inner)
        } else {
          try walk(inner, above: above + [identity], filter: &filter, circles: &circles)
        }
      } else if !isThere || status.st_mode & S_IFMT == S_IFREG {
        // A link to nothing stays, to be reported as a file that cannot be read.
        guard filter.accepts(inner) else { continue }
        entries.append(PictureEntry(path: inner, size: isThere ? Int(status.st_size) : 0))
      }
    }
  }

  func name(of entry: PictureEntry) -> String { "\(path)/\(entry.path)" }

  func bytes(of entry: PictureEntry) throws -> [UInt8] {
    try readWhole(URL(fileURLWithPath: name(of: entry)))
  }
}
