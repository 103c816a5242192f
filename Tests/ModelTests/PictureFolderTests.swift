import Foundation
import Testing

@testable import Model

@Suite struct PictureFolderTests {
  @Test func namesAreInTimmsOrder() {
    // Recorded: sorted(names, key=timm.utils.misc.natural_key).
    let sorted = [
      "1", "9", "10", "_", "a1", "a1.5", "a1b", "a02", "a2", "a2b3", "a10b", "a 3", "a-b", "ab",
      "B", "b1", "img", "IMG1", "img2", "img10", "x/2/y", "x/10/y", "Z", "é1",
    ]
    for shift in [1, 7, 13] {
      let names = (0..<sorted.count).map { sorted[($0 * 5 + shift) % sorted.count] }
      #expect(names.map { NaturalName($0) }.sorted().map(\.name) == sorted)
    }
    let huge = String(repeating: "9", count: 40)
    #expect(NaturalName("a\(huge)0") > NaturalName("a\(huge)"))
  }

  @Test func setsAndClassesAreFolders() throws {
    try PictureFiles.with { files in
      try files.writePictures([
        "train/c10/2.png", "train/c10/10.png", "train/C2/a.PNG", "val/c10/1.png",
        "val/C2/deep/x.png",
      ])
      let data = try files.load()
      #expect(data.kind == "folder" && data.classNames == ["C2", "c10"])
      #expect(data.train.count == 3 && data.test.count == 2 && !data.hasSeparateValidation)
      #expect((0..<3).map(data.train.label) == [0, 1, 1])
      #expect(
        (0..<3).map { data.train.file($0) } == [
          "train/C2/a.PNG", "train/c10/2.png", "train/c10/10.png",
        ])
      #expect(try data.train.image(1).pixels[0] == 0 && data.train.image(2).pixels[0] == 1)
      #expect(data.test.label(0) == 0 && data.remarks == [])
      #expect(try files.load().fingerprint == data.fingerprint)

      // A test set besides, and a folder around everything.
      try files.writePictures(["test/c10/1.png", "test/C2/1.png", "test/C2/2.png"], from: 9)
      let three = try files.load()
      #expect(three.hasSeparateValidation && three.validation.count == 2 && three.test.count == 3)
      #expect(three.fingerprint != data.fingerprint && three.sets.count == 3)
      let around = PictureFiles(folder: files.folder.deletingLastPathComponent())
      let wrapped = try around.load(files.folder.lastPathComponent)
      #expect(wrapped.train.count == 3)
    }
  }

  @Test func aChangedFileChangesTheFingerprint() throws {
    try PictureFiles.with { files in
      try files.writePictures(["a/1.png", "a/2.png", "b/1.png"])
      let before = try files.load().fingerprint
      try files.write(
        ImageCodec.encodePNG(DataFixtures.noise(width: 6, height: 6, seed: 1)), to: "a/1.png")
      let resized = try files.load().fingerprint
      #expect(resized != before)
      try files.remove("a/2.png")
      try files.writePictures(["b/2.png"])
      #expect(try files.load().fingerprint != resized)
    }
  }

  @Test func foldersOfClassesAreSplit() throws {
    try PictureFiles.with { files in
      for name in ["x", "y"] {
        try files.writePictures((0..<(name == "x" ? 20 : 10)).map { "set/\(name)/\($0).png" })
      }
      try files.writePictures(["set/z/only.png"])
      let whole = try files.load()
      #expect(whole.train.count == 31 && whole.test.count == 0)
      let split = try whole.settingAside(0.2, seed: 4)
      #expect(split.train.count == 25 && split.test.count == 6)
      #expect(!split.hasSeparateValidation)
      func names(_ set: any Dataset) -> [String?] { (0..<set.count).map { set.file($0) } }
      let test = names(split.test)
      #expect(test.count { $0?.contains("/x/") == true } == 4)
      #expect(test.count { $0?.contains("/y/") == true } == 2)
      #expect(Set(test).isDisjoint(with: names(split.train)))
      #expect(Set(test).union(names(split.train)) == Set(names(whole.train)))
      #expect(try names(whole.settingAside(0.2, seed: 4).test) == test)
      #expect(try names(whole.settingAside(0.2, seed: 5).test) != test)
      #expect(try whole.settingAside(0.2, seed: 5).fingerprint != split.fingerprint)
      #expect(split.fingerprint != whole.fingerprint)

      let limited = try split.limited(to: 5)
      #expect(limited.train.count == 5 && limited.test.count == 5)
      #expect((0..<5).map(limited.train.label) == [0, 0, 1, 1, 2])
      #expect(try split.limited(to: 1000).train.count == 25)
      #expect(throws: DataError.limit(0)) { try split.limited(to: 0) }
      let tiny = try whole.limited(to: 3)
      #expect(throws: DataError.tooFewToSplit(name: tiny.name, count: 3)) {
        try tiny.settingAside(0.5, seed: 1)
      }
    }
  }

  @Test func digitsCanBeSplitToo() throws {
    let digits = Datasets.digits()
    let split = try digits.settingAside(0.1, seed: 1)
    #expect(split.hasSeparateValidation && split.test.count == 359)
    #expect(split.train.count + split.validation.count == 1438)
    let classes = split.validation.indicesByClass.map(\.count)
    #expect(classes.allSatisfy { (13...16).contains($0) })
    #expect(throws: DataError.ownValidation(name: "digits")) {
      try split.settingAside(0.1, seed: 1)
    }
  }

  @Test func aClassMapDecidesTheLabels() throws {
    try PictureFiles.with { files in
      try files.writePictures(["set/a/1.png", "set/b/1.png", "set/c/1.png"])
      try files.write("c\n b \nmissing\n\n", to: "map.txt")
      let data = try files.load("set", classMap: "map.txt")
      #expect(data.classNames == ["c", "b", "missing"])
      #expect((0..<2).map { data.train.file($0) } == ["b/1.png", "c/1.png"])
      #expect((0..<2).map(data.train.label) == [1, 0])
      #expect(data.remarks == ["the folder 'a' is not in the class map and was left out"])
      func failure(_ text: String) throws -> DataError {
        try files.write(text, to: "map.txt")
        return try #require(throws: DataError.self) {
          try files.load("set", classMap: "map.txt")
        }
      }
      let path = files.folder.appendingPathComponent("map.txt").path
      #expect(try failure("") == .classMap(file: path, problem: "it is empty"))
      #expect(try failure("a\n\nb\n") == .classMap(file: path, problem: "line 2 is empty"))
      #expect(try failure("a\na\n") == .classMap(file: path, problem: "line 2 repeats 'a'"))
      guard case .noMappedClass = try failure("q\n") else {
        Issue.record("a map without any of the classes was taken")
        return
      }
    }
  }

  @Test func manyClassesHaveLabelsOfTheirOwn() throws {
    try PictureFiles.with { files in
      for number in 0..<300 { try files.write([1], to: "set/k\(number)/x.jpg") }
      let data = try files.load()
      #expect(data.classNames.count == 300 && data.classNames[299] == "k299")
      #expect(data.train.label(299) == 299)
    }
  }

  @Test func whatIsNoPictureIsLeftOut() throws {
    try PictureFiles.with { files in
      try files.writePictures([
        "train/a/1.png", "train/b/1.png", "train/b/.hidden.png", "train/.cache/1.png",
        "__MACOSX/train/a/1.png", "train/loose.png", "extra/a/1.png", "beside.png",
      ])
      try files.write("text", to: "train/a/notes.txt")
      try files.write("text", to: "train/a/more.webp")
      try files.link("train/a/up", to: "../..")
      try files.link("train/b/gone.png", to: "nowhere.png")
      let data = try files.load()
      #expect(data.train.count == 3)
      #expect(
        data.remarks == [
          "2 files are neither .jpg, .jpeg nor .png and were left out, such as 'train/a/more.webp'",
          "the link 'train/a/up' leads back to a folder above it and was left out",
          "a picture lies beside the folder of the training set and was left out",
          "the folder 'extra' is none of train, val and test and was left out",
          "a picture lies in no class folder and was left out",
        ])
      // A link to nothing is a broken file, not a missing one.
      #expect(throws: DataError.self) { try data.train.image(2) }
    }
  }

  @Test func linkedFoldersAreRead() throws {
    try PictureFiles.with { files in
      try files.writePictures(["raw/cats/1.png", "raw/dogs/1.png"])
      try files.write("", to: "set/train/.keep")
      try files.link("set/train/cat", to: "../../raw/cats")
      try files.link("set/train/dog", to: "../../raw/dogs")
      #expect(try files.load("set").classNames == ["cat", "dog"])
    }
  }

  @Test func problemsAreNamed() throws {
    try PictureFiles.with { files in
      func failure() throws -> DataError {
        try #require(throws: DataError.self) { try files.load("set") }
      }
      let path = files.folder.appendingPathComponent("set").path
      #expect(try failure() == .missingFolder(path: path))
      try files.write("x", to: "set/readme.md")
      #expect(try failure() == .noImages(path: path))
      try files.writePictures(["set/1.png"])
      #expect(try failure() == .noClassFolders(path: path))
      try files.remove("set/1.png")
      try files.writePictures(["set/val/a/1.png"])
      #expect(try failure() == .noTrainFolder(path: path, found: "val"))
      try files.writePictures(["set/train/a/1.png", "set/train/b/1.png", "set/val/q/1.png"])
      #expect(try failure() == .classSets(part: "validation", missing: ["b"], extra: ["q"]))
      #expect(
        try failure().message
          == "the validation set has other classes than the training set: it lacks 'b' and has 'q' "
          + "besides")
      try files.writePictures(["set/valid/a/1.png"])
      #expect(try failure() == .twoFolders(path: path, first: "val", second: "valid"))
      #expect(try failure().kind == .resource && failure().advice != nil)
      // A test folder without classes, as of a competition, is no test set.
      try files.remove("set/val")
      try files.remove("set/valid")
      try files.writePictures(["set/test/1.png"])
      #expect(try files.load("set").test.count == 0)
      guard geteuid() != 0 else { return }
      try FileManager.default.setAttributes(
        [.posixPermissions: 0], ofItemAtPath: path + "/train/a")
      #expect(
        try failure() == .unreadable(file: path + "/train/a", reason: "permission denied"))
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: path + "/train/a")
    }
  }

  // MARK: Broken files

  private func writeBroken(_ files: PictureFiles) throws {
    try files.writePictures((0..<300).map { "train/\($0 % 2 == 0 ? "a" : "b")/\($0).png" })
    try files.writePictures(["val/a/1.png", "val/b/1.png"])
    let whole = try DataFixtures.bytes("images/420.jpg")
    try files.write(Array(whole.prefix(whole.count / 2)), to: "train/a/cut.jpg")
    try files.write([], to: "train/b/empty.png")
    try files.write("no picture", to: "val/b/text.png")
  }

  @Test func brokenFilesStopOrAreLeftOut() throws {
    try PictureFiles.with { files in
      try writeBroken(files)
      let data = try files.load()
      let check = try #require(data.train.check(withDigests: true))
      #expect(check.broken.map(\.file) == ["train/a/cut.jpg", "train/b/empty.png"])
      #expect(check.digests.count == 302 && check.digests.count { $0 == nil } == 2)
      #expect(check.digests[0] == sha256(of: try PictureFiles.png(0)))
      let error = try #require(throws: DataError.self) {
        try data.train.image(check.broken[0].index)
      }
      #expect(error.message == check.broken[0].problem)
      #expect(error.message.hasSuffix("train/a/cut.jpg': the JPEG data end too early"))
      #expect(error.advice?.contains("broken=skip") == true && error.kind == .resource)

      var calls: [Int] = []
      let (sound, broken) = try #require(
        try data.leavingOutBroken { done, total in
          calls.append(done)
          return total == 305
        })
      #expect(broken.map(\.file) == ["train/a/cut.jpg", "train/b/empty.png", "val/b/text.png"])
      #expect(calls == calls.sorted() && calls.last == 305)
      #expect(sound.train.count == 300 && sound.test.count == 2 && !sound.hasSeparateValidation)
      #expect(try #require(sound.train.check()).broken == [])
      #expect(sound.fingerprint != data.fingerprint)
      #expect(try data.leavingOutBroken { done, _ in done < 100 } == nil)

      try files.remove("val/a/1.png")
      try files.remove("val/b/1.png")
      try files.write("no picture", to: "val/a/text.png")
      #expect(throws: DataError.self) { try files.load().leavingOutBroken() }
    }
  }

  @Test func aBrokenFileStopsTheLoaderByItsName() throws {
    try PictureFiles.with { files in
      try writeBroken(files)
      let data = try files.load()
      for workers in [1, 3] {
        let loader = BatchLoader(
          dataset: data.train, transform: TrainTransform(size: 4, normalization: .imageNet),
          batchSize: 302, seed: 1, epoch: 0, shuffle: true, dropLast: true, workers: workers)
        var input = [Float](repeating: 0, count: 302 * 48)
        var labels = [Int32](repeating: 0, count: 302)
        let error = try #require(throws: DataError.self) {
          try loader.next(into: &input, labels: &labels)
        }
        guard case .broken = error else { throw error }
      }
    }
  }

  // MARK: The cache

  @Test func theCacheIsBoundedAndChangesNothing() throws {
    try PictureFiles.with { files in
      try files.writePictures((0..<40).map { "a/\($0).png" })
      let without = try files.load(cache: 0)
      let with = try files.load(cache: 2000)
      #expect(without.fingerprint == with.fingerprint)
      for _ in 0..<2 {
        for index in 0..<40 {
          #expect(try with.train.image(index) == without.train.image(index))
        }
      }
      let cache = DecodedCache(capacity: 2000)
      let picture = ImageRGB(width: 10, height: 10, pixels: [UInt8](repeating: 1, count: 300))
      var decoded = 0
      for round in 0..<2 {
        for number in 0..<20 {
          let got = cache.picture(number) {
            decoded += 1
            return picture
          }
          #expect(got == picture)
        }
        #expect(cache.bytes <= 2000 && cache.bytes > 1000)
        if round == 0 { #expect(decoded == 20) }
      }
      // Four pictures fit and were decoded once.
      #expect(decoded == 36)
      DispatchQueue.concurrentPerform(iterations: 400) { number in
        _ = cache.picture(number % 50) { picture }
      }
      #expect(cache.bytes <= 2000)
    }
  }
}
