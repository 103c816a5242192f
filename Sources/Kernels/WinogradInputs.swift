/// The values of the inputs of a row of tiles.
struct WinogradInputs: ChannelGroup {
  /// The rows of pixels that the tiles reach.
  let rows: InlineArray<6, RowPointer>
  /// The pixels of a row, and the floats of a pixel.
  let width: Int
  let channels: Int
  /// How many tiles.
  let count: Int
  /// Those of the block, [product][line], products `step` floats apart; the number of the first tile
  /// there.
  let values: UnsafeMutablePointer<Float>
  let lines: TileLines
  let first: Int
  let step: Int
  let columns: UnsafeMutablePointer<Float>

  /// Tiles that follow each other in the room for transformed columns.
  private static let run = 4
  /// The floats of that room.
  static let columnCount = (run * Winograd.outputs + 2) * Winograd.inputs * Vector.width

  /// Writes the values of a block's inputs, [product] of `TileLines`.
  ///
  /// - Parameters:
  ///   - step: floats from product to product.
  ///   - columns: room for `columnCount` floats.
  @inline(__always)
  static func write(
    _ plan: WinogradPlan, _ block: Int, source: UnsafePointer<Float>, channels: Int,
    zeros: UnsafePointer<Float>, to values: UnsafeMutablePointer<Float>, step: Int,
    columns: UnsafeMutablePointer<Float>
  ) {
    let lines = TileLines(tiles: plan.tiles(block))
    plan.forEachRow(block) { row in
      let rows: InlineArray<6, RowPointer> = plan.rows(
        row, shift: -1, source: source, channels: channels, zeros: zeros)
      WinogradInputs(
        rows: rows, width: plan.pitch, channels: channels, count: plan.columns, values: values,
        lines: lines, first: row.tile, step: step, columns: columns
      ).coverRegisters(from: 0, to: channels)
    }
  }

  /// Columns of pixels are transformed once, though neighbouring tiles share two of them.
  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let column = Winograd.inputs &* L.width
    let last = columns + (Self.run &- 1) &* Winograd.outputs &* column
    var x = -1
    for index in 0..<2 {
      transformColumn(L.self, x, c, to: columns + index &* column)
      x &+= 1
    }
    var first = columns
    var place = values + lines.place(tile: self.first, channel: c)
    for _ in 0..<count {
      for index in 2..<Winograd.inputs {
        transformColumn(L.self, x, c, to: first + index &* column)
        x &+= 1
      }
      for row in 0..<Winograd.inputs {
        var line = InlineArray<6, L>(repeating: L(splat: 0))
        for index in 0..<6 { line[index] = L.load(first + (index &* column &+ row &* L.width)) }
        let results = winogradInput(line)
        for index in 0..<6 {
          let target = place + (row &* 6 &+ index) &* step
          L.fetchToWrite(target + Winograd.ahead)
          results[index].store(target)
        }
      }
      place += 16
      // The next tile begins with the last two columns of this one.
      if first == last {
        for index in 0..<2 &* Winograd.inputs {
          L.load(last + (4 &* column &+ index &* L.width)).store(columns + index &* L.width)
        }
        first = columns
      } else {
        first += Winograd.outputs &* column
      }
    }
  }

  @inline(__always)
  private func transformColumn<L: Lanes>(
    _: L.Type, _ x: Int, _ c: Int, to target: UnsafeMutablePointer<Float>
  ) {
    var pixels = InlineArray<6, L>(repeating: L(splat: 0))
    if x >= 0 && x < width {
      let offset = x &* channels &+ c
      for row in 0..<6 { pixels[row] = L.load(rows[row] + offset) }
      pixels = winogradInput(pixels)
    }
    for row in 0..<6 { pixels[row].store(target + row &* L.width) }
  }
}
