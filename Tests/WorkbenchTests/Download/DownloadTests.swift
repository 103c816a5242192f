import Foundation
import Model
import Testing

@testable import Workbench

/// `download` against a server on this machine.
@Suite struct DownloadTests {
  private static let path = "/timm/tf_efficientnetv2_b0.in1k/resolve/main/model.safetensors"
  private static let command = "download weights tf_efficientnetv2_b0"
  private static let name = "home/weights/tf_efficientnetv2_b0.in1k.safetensors"

  /// A safetensors file of one tensor, large enough to be sent in pieces.
  private static let weights: [UInt8] = {
    let count = 300_000
    var header = Array(
      #"{"a":{"dtype":"F32","shape":[\#(count)],"data_offsets":[0,\#(4 * count)]}}"#.utf8)
    while header.count % 8 != 0 { header.append(0x20) }
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    return length + header + (0..<4 * count).map { UInt8(truncatingIfNeeded: $0 / 4 &* 2_654_435) }
  }()

  private func run(_ command: String, _ folder: TestFolder, _ server: LoopbackServer) throws
    -> BuiltProgram.Result
  {
    try BuiltProgram.run(
      ["-c", command], in: folder.url, environment: ["HF_ENDPOINT": server.address])
  }

  private func bytes(_ name: String, _ folder: TestFolder) throws -> [UInt8] {
    Array(try Data(contentsOf: folder.url.appending(path: name)))
  }

  @Test func weightsAreFetchedOnceAndVerified() throws {
    let folder = try TestFolder()
    let digest = sha256(of: Self.weights)
    let server = try LoopbackServer([
      Self.path: .init(headers: ["X-Linked-ETag: \"\(digest)\""], location: "/elsewhere"),
      "/elsewhere": .init(body: Self.weights),
    ])
    defer { server.stop() }
    let first = try run(Self.command, folder, server)
    #expect(first.status == 0 && first.output.contains(digest), "\(first.errors)")
    #expect(!first.errors.contains("no checksum"))
    #expect(try bytes(Self.name, folder) == Self.weights)
    #expect(!folder.exists(Self.name + ".part"))
    let second = try run(Self.command, folder, server)
    #expect(second.status == 0 && second.output.contains("is there"))
    #expect(server.requests.count == 2)
  }

  @Test func aBrokenConnectionIsTakenUpWhereItBroke() throws {
    let folder = try TestFolder()
    let server = try LoopbackServer([
      Self.path: .init(
        body: Self.weights, headers: ["X-Linked-ETag: \"\(sha256(of: Self.weights))\""],
        breaksAfter: 500_000)
    ])
    defer { server.stop() }
    let result = try run(Self.command, folder, server)
    #expect(result.status == 0 && result.errors.contains("going on"), "\(result.errors)")
    #expect(try bytes(Self.name, folder) == Self.weights)
    #expect(server.requests.map(\.start) == [0, 500_000, 1_000_000])
  }

  @Test func aStoppedDownloadGoesOnLater() throws {
    let folder = try TestFolder()
    let server = try LoopbackServer([
      Self.path: .init(body: Self.weights, stallsAfter: 400_000)
    ])
    defer { server.stop() }
    let running = try BuiltProgram.start(
      ["-c", Self.command], in: folder.url, environment: ["HF_ENDPOINT": server.address])
    let part = folder.url.appending(path: Self.name + ".part")
    func partSize() -> Int { (try? Data(contentsOf: part))?.count ?? 0 }
    #expect(running.wait { partSize() > 100_000 })
    running.process.interrupt()
    let stopped = running.finish()
    #expect(stopped.status == 130 && stopped.errors.contains("goes on"), "\(stopped.errors)")
    #expect(!folder.exists(Self.name))
    let size = partSize()
    server[Self.path] = .init(body: Self.weights)
    #expect(try run(Self.command, folder, server).status == 0)
    #expect(try bytes(Self.name, folder) == Self.weights)
    #expect(server.requests.map(\.start) == [0, size])
  }

  @Test(arguments: [true, false]) func aPartOfAnotherFileIsReplaced(hasRanges: Bool) throws {
    let folder = try TestFolder()
    let server = try LoopbackServer([
      Self.path: .init(
        body: Self.weights, headers: ["X-Linked-ETag: \"\(sha256(of: Self.weights))\""],
        hasRanges: hasRanges)
    ])
    defer { server.stop() }
    try folder.write(String(repeating: "old", count: 1000), to: Self.name + ".part")
    let result = try run(Self.command, folder, server)
    #expect(result.status == 0 && result.errors.contains("whole file"), "\(result.errors)")
    #expect(try bytes(Self.name, folder) == Self.weights)
  }

  @Test func whatIsNotTheFileIsNotKept() throws {
    let folder = try TestFolder()
    let server = try LoopbackServer([
      Self.path: .init(
        body: Self.weights,
        headers: ["X-Linked-ETag: \"\(String(repeating: "0", count: 64))\""]),
      "/page": .init(body: Array("<!doctype html><html></html>".utf8)),
    ])
    defer { server.stop() }
    let wrong = try run(Self.command, folder, server)
    #expect(wrong.status == 7 && wrong.errors.contains("SHA-256 0000"), "\(wrong.errors)")
    let page = try run(Self.command + " from=\(server.address)/page", folder, server)
    #expect(page.status == 7 && page.errors.contains("web page"), "\(page.errors)")
    let missing = try run(Self.command + " from=\(server.address)/nothing", folder, server)
    #expect(missing.status == 7 && missing.errors.contains("404"), "\(missing.errors)")
    let odd = try run(Self.command + " from=file:///etc/passwd", folder, server)
    #expect(odd.status == 3 && odd.errors.contains("https://"), "\(odd.errors)")
    #expect(!folder.exists(Self.name) && !folder.exists(Self.name + ".part"))
  }

  /// An archive as CIFAR-10's authors make it, of four pictures.
  private func archive(_ folder: TestFolder) throws -> [UInt8] {
    for number in 0..<6 {
      let name = number == 5 ? "test_batch.bin" : "data_batch_\(number + 1).bin"
      let records = Data((0..<4).flatMap { [UInt8($0)] + [UInt8](repeating: 90, count: 3072) })
      try folder.write("", to: "made/cifar-10-batches-bin/\(name)")
      try records.write(to: folder.url.appending(path: "made/cifar-10-batches-bin/\(name)"))
    }
    try folder.write("not wanted", to: "made/other/file")
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = [
      "tar", "-czf", "made.tar.gz", "-C", "made", "cifar-10-batches-bin", "other",
    ]
    tar.currentDirectoryURL = folder.url
    try tar.run()
    tar.waitUntilExit()
    return try bytes("made.tar.gz", folder)
  }

  @Test func aDataSetIsUnpackedAndRead() throws {
    let folder = try TestFolder()
    let body = try archive(folder)
    let server = try LoopbackServer(["/a.tar.gz": .init(body: body)])
    defer { server.stop() }
    let digest = try md5(of: folder.url.appending(path: "made.tar.gz"))
    let from = "from=\(server.address)/a.tar.gz"
    let official = try run("download cifar10 \(from)", folder, server)
    #expect(official.status == 7 && official.errors.contains("MD5 c32a1d4a"), "\(official.errors)")
    let result = try run("download cifar10 \(from) md5=\(digest); data cifar10", folder, server)
    #expect(result.status == 0 && result.output.contains("20 to train"), "\(result.errors)")
    let left = try FileManager.default.contentsOfDirectory(
      atPath: folder.url.appending(path: "datasets").path)
    #expect(left == ["cifar-10-batches-bin"])
  }

  @Test func aDamagedArchiveLeavesNothingHalf() throws {
    let folder = try TestFolder()
    let body = Array(try archive(folder).dropLast(40))
    let server = try LoopbackServer(["/a.tar.gz": .init(body: body)])
    defer { server.stop() }
    try Data(body).write(to: folder.url.appending(path: "cut.tar.gz"))
    let digest = try md5(of: folder.url.appending(path: "cut.tar.gz"))
    let result = try run(
      "download cifar10 from=\(server.address)/a.tar.gz md5=\(digest)", folder, server)
    #expect(result.status == 7 && result.errors.contains("unpacked"), "\(result.errors)")
    #expect(!folder.exists("datasets/cifar-10-batches-bin"))
  }

  @Test func headersAreReadAcrossRedirections() {
    let digest = String(repeating: "Ab", count: 32)
    let headers = HTTPHeaders(
      "HTTP/1.1 302 Found\r\nContent-Length: 10\r\nX-Linked-ETag: \"\(digest)\"\r\n\r\n"
        + "HTTP/2 206 \r\ncontent-length: 77\r\n\r\n")
    #expect(headers.status == 206 && headers.length == 77)
    #expect(headers.sha256 == digest.lowercased())
    #expect(HTTPHeaders("HTTP/1.1 404 Not Found\nContent-Length: 9\n").length == nil)
  }
}
