/// How the filters of the phases are made from those of the convolution.
struct PhaseFilters {
  private let depth: Int
  private let slots: Table<Int>
  private let isReversed: Bool
  private let single: Int
  /// Where the values of each phase at each pair of points are, in matrices of `depth` rows from the
  /// first of a panel on; -1 where there are none.
  private let places: Table<Int>

  /// - Parameters:
  ///   - depth: the rows of a tap's matrix.
  ///   - slots: where each tap is among those that are packed.
  ///   - isReversed: whether of two taps the later one comes first: the transposed convolution.
  ///   - single: which of two taps a filter of one has.
  ///   - place: where the values of a phase at a pair of points are.
  init(
    depth: Int, slots: [Int], isReversed: Bool, single: Int,
    place: (_ product: Int, _ phase: Int) -> Int?
  ) {
    self.depth = depth
    self.slots = Table(slots)
    self.isReversed = isReversed
    self.single = single
    places = Table((0..<PhaseTiles.products * 4).map { place($0 / 4, $0 % 4) ?? -1 })
  }

  /// Transforms packed filters, [panel][tap][depth][panel width], to [panel][place][depth][panel width].
  func transform(
    _ packed: UnsafePointer<Float>, _ packing: WeightPacking,
    to target: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let depth = depth
    packing.panels.forEach(rows: depth, chunk: 16, pool) { panel, row in
      let width = panel.vectors &* 16
      let taps = packed + (9 &* depth &* panel.column &+ row &* width)
      let values = target + (PhaseTiles.filterValues &* depth &* panel.column &+ row &* width)
      PhaseTiles.forEachPhase { phase in
        PhaseFilter(
          taps: taps, slots: slots.base, phase: phase, isReversed: isReversed, single: single,
          values: values, places: places.base, step: depth &* width
        ).coverRegisters(from: 0, to: width)
      }
    }
  }
}

/// The values of a phase's filters.
private struct PhaseFilter: ChannelGroup {
  let taps: UnsafePointer<Float>
  let slots: UnsafePointer<Int>
  let phase: PhaseTiles.Phase
  let isReversed: Bool
  let single: Int
  let values: UnsafeMutablePointer<Float>
  let places: UnsafePointer<Int>
  /// Floats from tap to tap and from place to place.
  let step: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var columns = InlineArray<2, InlineArray<5, L>>(
      repeating: InlineArray<5, L>(repeating: L(splat: 0)))
    for column in 0..<2 {
      var taps = InlineArray<2, L>(repeating: L(splat: 0))
      for row in 0..<2 {
        guard let y = tap(row, phase.isSingleRow), let x = tap(column, phase.isSingleColumn)
        else { continue }
        taps[row] = L.load(self.taps + (slots[y &* 3 &+ x] &* step &+ c))
      }
      columns[column] = phaseFilter(taps)
    }
    for row in 0..<PhaseTiles.points {
      let results = phaseFilter([columns[0][row], columns[1][row]] as InlineArray<2, L>)
      for column in 0..<PhaseTiles.points {
        let place = places[(row &* PhaseTiles.points &+ column) &* 4 &+ phase.index]
        if place >= 0 { results[column].store(values + (place &* step &+ c)) }
      }
    }
  }

  /// The tap of an axis that is the first or the second of the phase's filter.
  @inline(__always)
  private func tap(_ index: Int, _ isSingle: Bool) -> Int? {
    if isSingle { return index == single ? 1 : nil }
    return isReversed ? 2 &- 2 &* index : 2 &* index
  }
}

/// The gradient of a phase's filters from the groups' sums.
struct PhaseFilterGradient: ChannelGroup {
  let sums: UnsafePointer<Float>
  /// Floats from phase to phase of a product.
  let step: Int
  let phase: PhaseTiles.Phase
  let groups: Int
  let groupStep: Int
  let target: UnsafeMutablePointer<Float>
  /// Floats from tap to tap of the target.
  let tapStep: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var before = 0
    var rows = InlineArray<5, InlineArray<2, L>>(
      repeating: InlineArray<2, L>(repeating: L(splat: 0)))
    for row in 0..<PhaseTiles.points {
      var values = InlineArray<5, L>(repeating: L(splat: 0))
      for column in 0..<PhaseTiles.points {
        let phases = TileForm.phased.phases(row &* PhaseTiles.points &+ column)
        if phases.contains(phase.index) {
          let place = sums + ((before &+ phase.index &- phases.lowerBound) &* step &+ c)
          values[column] = L.sum(place, copies: groups, distance: groupStep)
        }
        before &+= phases.count
      }
      rows[row] = phaseFilterTransposed(values)
    }
    for column in 0..<(phase.isSingleColumn ? 1 : 2) {
      var values = InlineArray<5, L>(repeating: L(splat: 0))
      for row in 0..<PhaseTiles.points { values[row] = rows[row][column] }
      let taps = phaseFilterTransposed(values)
      let x = phase.isSingleColumn ? 1 : 2 &* column
      for row in 0..<(phase.isSingleRow ? 1 : 2) {
        let y = phase.isSingleRow ? 1 : 2 &* row
        taps[row].store(target + ((y &* 3 &+ x) &* tapStep &+ c))
      }
    }
  }
}
