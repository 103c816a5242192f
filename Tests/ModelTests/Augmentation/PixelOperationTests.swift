import Kernels
import Testing

@testable import Model

@Suite struct PixelOperationTests {
  /// What Pillow made of pictures of noise.
  private struct Fixture: Decodable {
    let fill: [UInt8]
    let cases: [FixtureRow]
  }

  private func operation(
    _ name: String, _ argument: Double, _ filter: AffineFilter
  ) -> PixelOperation? {
    switch name {
    case "autoContrast": .autoContrast
    case "equalize": .equalize
    case "invert": .invert
    case "posterize": .posterize(bits: Int(argument))
    case "solarize": .solarize(threshold: Int(argument))
    case "solarizeAdd": .solarizeAdd(Int(argument))
    case "color": .color(argument)
    case "contrast": .contrast(argument)
    case "brightness": .brightness(argument)
    case "sharpness": .sharpness(argument)
    case "blur": .blur(radius: argument)
    case "rotate": .rotate(degrees: argument, filter)
    case "shearX": .move(.shearX(argument), filter)
    case "shearY": .move(.shearY(argument), filter)
    case "translateX": .move(.translateX(argument), filter)
    case "translateY": .move(.translateY(argument), filter)
    default: nil
    }
  }

  @Test func operationsEqualPillow() throws {
    let fixture = try DataFixtures.json("operations.json", as: Fixture.self)
    let fill = SIMD3(fixture.fill[0], fixture.fill[1], fixture.fill[2])
    // One workspace for all: what one picture leaves behind must not reach the next.
    let workspace = TransformWorkspace()
    var differing: [String: Int] = [:]
    for row in fixture.cases {
      let filter = try #require(AffineFilter(rawValue: row.word(2)))
      let change = try #require(operation(row.word(0), row.number(1), filter))
      let (width, height) = (row.integer(3), row.integer(4))
      let image = DataFixtures.noise(
        width: width, height: height, seed: UInt64(row.integer(5)), soft: row.flag(6))
      var pixels = image.pixels
      change.apply(to: &pixels, width: width, height: height, fill: fill, workspace: workspace)
      if DataFixtures.crc32(pixels) != UInt32(row.integer(7)) {
        differing["\(change) \(width)x\(height)", default: 0] += 1
      }
    }
    #expect(fixture.cases.count > 800)
    #expect(differing.isEmpty)
  }

  @Test func aReflectedShiftRepeatsNoBorder() {
    let row: [UInt8] = [1, 2, 3, 4, 5].flatMap { [$0, $0, $0] }
    var output = [UInt8](repeating: 0, count: 15)
    func shifted(_ x: Int) -> [UInt8] {
      shiftReflecting(row, width: 5, height: 1, x: x, y: 0, into: &output)
      return stride(from: 0, to: 15, by: 3).map { output[$0] }
    }
    #expect(shifted(2) == [3, 4, 5, 4, 3])
    #expect(shifted(-3) == [4, 3, 2, 1, 2])
    #expect(shifted(0) == [1, 2, 3, 4, 5])
    #expect(shifted(4) == [5, 4, 3, 2, 1])
  }
}
