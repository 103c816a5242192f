public import Foundation

/// Picture files without labels, e.g. a folder to predict.
public final class ImageFiles: Dataset {
  /// The folder, or the number of files.
  public let name: String
  /// Empty: the pictures have no labels.
  public let classNames: [String] = []
  /// The files, in the order of their numbers.
  public let files: [URL]
  /// The number of files.
  public var count: Int { files.count }

  /// Takes the files as they come.
  public init(name: String, files: [URL]) {
    self.name = name
    self.files = files
  }

  /// Finds the JPEG and PNG files (.jpg, .jpeg, .png, in any case) of a folder and the folders in
  /// it, sorted by path; hidden ones are left out.
  ///
  /// - Throws: `DataError.missingFolder` or `.noImages`.
  public convenience init(folder: URL) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder),
      isFolder.boolValue
    else { throw DataError.missingFolder(path: folder.path) }
    let found = FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: [.isDirectoryKey], options: [.skipsHiddenFiles])
    var files: [URL] = []
    while let file = found?.nextObject() as? URL {
      guard ["jpg", "jpeg", "png"].contains(file.pathExtension.lowercased()),
        (try? file.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) != true
      else { continue }
      files.append(file)
    }
    if files.isEmpty { throw DataError.noImages(path: folder.path) }
    // By code units: the same order on every machine.
    files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    self.init(name: folder.path, files: files)
  }

  /// -1: not known.
  public func label(_ index: Int) -> Int { -1 }

  /// Decodes a file.
  public func image(_ index: Int) throws -> ImageRGB {
    try ImageCodec.decode(contentsOf: files[index])
  }
}
