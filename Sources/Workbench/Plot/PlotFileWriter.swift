import Foundation
import Glibc

/// Files that appear complete or not at all: written under a temporary name in the same folder,
/// checked, then renamed.
enum PlotFileWriter {
  /// The last part of a path, if a file may have that name.
  static func name(of url: URL) throws(PlotError) -> String {
    let name = url.lastPathComponent
    if url.deletingPathExtension().lastPathComponent.isEmpty {
      throw .badName("'\(name)' has nothing before its ending")
    }
    if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      throw .badName("contains a control character")
    }
    return name
  }

  /// Throws if no file can be created in the folder.
  static func checkFolder(_ folder: URL) throws(PlotError) {
    var isFolder: ObjCBool = false
    let path = folder.path
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .cannotWrite(path: path, reason: "the folder does not exist")
    }
    guard isFolder.boolValue else {
      throw .cannotWrite(path: path, reason: "it is not a folder")
    }
    guard access(path, W_OK | X_OK) == 0 else {
      throw .cannotWrite(path: path, reason: words(errno))
    }
  }

  /// Writes bytes to a file, replacing what was there in one step.
  static func write(_ data: Data, to url: URL) throws(PlotError) {
    try produce(url, check: { _ in nil }) { (temporary) throws(PlotError) in
      let path = url.deletingLastPathComponent().appendingPathComponent(temporary).path
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw failure(errno, url) }
      defer { close(descriptor) }
      var failed: Int32 = 0
      data.withUnsafeBytes { bytes in
        var rest = bytes[...]
        while !rest.isEmpty && failed == 0 {
          let count = Glibc.write(
            descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
          if count > 0 {
            rest = rest.dropFirst(count)
          } else if errno != EINTR {
            failed = errno
          }
        }
      }
      if failed != 0 { throw failure(failed, url) }
    }
  }

  /// Lets `body` write a file of a temporary name in the folder of `url` (which is created if its
  /// parent exists), checks the bytes, and gives it its own name.
  ///
  /// - Parameter check: why the bytes are no good; `nil` if they are.
  static func produce(
    _ url: URL, check: (Data) -> String?,
    _ body: (_ temporaryName: String) throws(PlotError) -> Void
  ) throws(PlotError) {
    let folder = url.deletingLastPathComponent()
    if mkdir(folder.path, 0o777) != 0 && errno != EEXIST && errno != EISDIR {
      throw failure(errno, url)
    }
    try checkFolder(folder)
    let temporary = ".workbench-\(getpid())-\(UInt32.random(in: .min ... .max)).tmp"
    let temporaryURL = folder.appendingPathComponent(temporary)
    defer { unlink(temporaryURL.path) }
    do {
      try body(temporary)
    } catch {
      // A tool that runs out of space says all sorts of things; the disk says it best.
      if case .failed = error, isFull(folder) { throw .diskFull(path: url.path) }
      throw error
    }
    guard let data = try? Data(contentsOf: temporaryURL) else {
      throw .badOutput(path: url.path, reason: "no file was written")
    }
    if let fault = check(data) {
      if isFull(folder) { throw .diskFull(path: url.path) }
      throw .badOutput(path: url.path, reason: fault)
    }
    guard rename(temporaryURL.path, url.path) == 0 else { throw failure(errno, url) }
  }

  private static func failure(_ number: Int32, _ url: URL) -> PlotError {
    number == ENOSPC || number == EDQUOT
      ? .diskFull(path: url.path) : .cannotWrite(path: url.path, reason: words(number))
  }

  private static func words(_ number: Int32) -> String {
    switch number {
    case EACCES, EPERM: "permission denied"
    case ENOENT: "the folder does not exist"
    case EISDIR: "it is a folder"
    case EROFS: "the file system is read-only"
    default: String(cString: strerror(number)).lowercased()
    }
  }

  /// Whether the folder's file system has no room left to speak of.
  private static func isFull(_ folder: URL) -> Bool {
    var room = statvfs()
    guard statvfs(folder.path, &room) == 0 else { return false }
    return UInt64(room.f_bavail) * UInt64(room.f_frsize) < 16384
  }
}
