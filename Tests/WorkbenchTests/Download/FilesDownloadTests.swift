import Foundation
import Model
import Testing

@testable import Workbench

/// `download mnist` and its relatives, against a server on this machine.
@Suite struct FilesDownloadTests {
  /// Five gray pictures of 4x3 pixels with their labels, under the names of MNIST's files.
  private static let bodies: [String: [UInt8]] = {
    let pictures: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 3] + [UInt8](0..<60)
    let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 5] + [UInt8](0..<5)
    return [
      "train-images-idx3-ubyte.gz": pictures, "train-labels-idx1-ubyte.gz": labels,
      "t10k-images-idx3-ubyte.gz": pictures,
      "t10k-labels-idx1-ubyte.gz": labels,
    ]
  }()

  private func server(_ change: (inout [String: LoopbackServer.Entry]) -> Void = { _ in }) throws
    -> LoopbackServer
  {
    var entries = Dictionary(
      uniqueKeysWithValues: Self.bodies.map { ("/m/\($0)", LoopbackServer.Entry(body: $1)) })
    change(&entries)
    return try LoopbackServer(entries)
  }

  /// A download of the files above, with MD5s of their own.
  private func download(_ folder: TestFolder, from server: LoopbackServer) throws -> FilesDownload {
    guard case .files(let published) = Datasets.release(of: "mnist") else {
      throw CocoaError(.featureUnsupported)
    }
    let files = try published.files.map { file in
      let made = folder.url.appending(path: "made")
      try Data(try #require(Self.bodies[file.name])).write(to: made)
      return DatasetFiles.File(name: file.name, md5: try md5(of: made))
    }
    return FilesDownload(
      directory: folder.url.appending(path: "datasets"),
      files: DatasetFiles(
        address: "\(server.address)/m/", folder: published.folder, files: files))
  }

  private func inDatasets(_ folder: TestFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      atPath: folder.url.appending(path: "datasets").path)
  }

  @Test func everyRelativeHasFourFilesOfItsOwn() throws {
    let releases = try Datasets.idxNames.map { name in
      guard case .files(let files) = Datasets.release(of: name) else {
        throw CocoaError(.featureUnsupported)
      }
      return files
    }
    #expect(Set(releases.map(\.folder)).count == 4)
    #expect(Set(releases.flatMap { $0.files.map(\.md5) }).count == 16)
    #expect(releases.allSatisfy { $0.address.hasSuffix("/") })
  }

  @Test func filesAreFetchedOnceAndRead() throws {
    let folder = try TestFolder()
    let server = try server()
    defer { server.stop() }
    let download = try download(folder, from: server)
    #expect(!download.isThere)
    try download.run(Console(quiet: true))
    #expect(download.isThere)
    #expect(try inDatasets(folder) == ["MNIST"])
    #expect(server.requests.count == 4)
    let result = try BuiltProgram.run(["-c", "data mnist; download mnist"], in: folder.url)
    #expect(result.status == 0 && result.output.contains("5 to train, 5 to test"), "\(result)")
    #expect(result.output.contains("is there"))
  }

  @Test func whatIsMissingIsFetchedLater() throws {
    let folder = try TestFolder()
    let server = try server { $0["/m/t10k-images-idx3-ubyte.gz"] = nil }
    defer { server.stop() }
    let download = try download(folder, from: server)
    let error = #expect(throws: (any Error).self) { try download.run(Console(quiet: true)) }
    #expect("\(String(describing: error))".contains("404"))
    #expect(!download.isThere && !folder.exists("datasets/MNIST"))
    server["/m/t10k-images-idx3-ubyte.gz"] = .init(
      body: try #require(Self.bodies["t10k-images-idx3-ubyte.gz"]))
    try download.run(Console(quiet: true))
    #expect(download.isThere)
    let asked = server.requests.map(\.path)
    #expect(asked.filter { $0.hasSuffix("train-images-idx3-ubyte.gz") }.count == 1)
    #expect(asked.count == 5)
  }

  @Test func otherContentsAreRefused() throws {
    let folder = try TestFolder()
    let server = try server()
    defer { server.stop() }
    // The program itself knows the official MD5s, which these files do not have.
    let wrong = try BuiltProgram.run(
      ["-c", "download fashion_mnist dir=here from=\(server.address)/m"], in: folder.url)
    #expect(wrong.status == 7 && wrong.errors.contains("MD5 8d4fb7e6"), "\(wrong.errors)")
    #expect(!folder.exists("here/FashionMNIST"))
    let digest = try BuiltProgram.run(["-c", "download mnist md5=abc"], in: folder.url)
    #expect(digest.status == 3 && digest.errors.contains("one archive"), "\(digest.errors)")
  }

  @Test func aFolderWithOtherThingsIsLeftAlone() throws {
    let folder = try TestFolder()
    let server = try server()
    defer { server.stop() }
    try folder.write("mine", to: "datasets/MNIST/raw/train-images-idx3-ubyte")
    let download = try download(folder, from: server)
    let error = #expect(throws: (any Error).self) { try download.run(Console(quiet: true)) }
    #expect("\(String(describing: error))".contains("not all of its files"))
    #expect(server.requests.isEmpty)
  }
}
