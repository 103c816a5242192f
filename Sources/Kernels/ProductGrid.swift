/// The cut of a product into parts of the pixels, which depends on the sizes alone, and groups of panels.
struct ProductGrid {
  /// Pixels per address table.
  let block: Int
  let panels: Int
  private let pixels: Int
  let pixelsPerPart: Int
  /// The runs of pixels.
  let parts: Int
  let panelsPerGroup: Int
  let panelGroups: Int
  /// Whether a task has all pixels: what it packs, no other task reads.
  let packsInTasks: Bool
  var tasks: Int { packsInTasks ? panelGroups : parts * panelGroups }

  init(_ plan: GatherPlan, _ packing: WeightPacking, threads: Int) {
    panels = packing.panels.count
    pixels = plan.pixels
    let perPixel = max(1, plan.taps * plan.depth * packing.columns)
    // A multiple of the heights of all tiles, if that does not leave most threads without a task.
    var block = 72
    var blocks: Int { (plan.pixels + block - 1) / block }
    while block > 18, blocks * panels < 4, perPixel * pixels >= 1 << 19 {
      block /= 2
    }
    self.block = block
    // About a million multiply-adds per task; many panels are shared out where pixels are few, and are
    // enough for all tasks where there are very many.
    let isOnePart = blocks <= 4 && panels >= 8
    let blocksPerPart =
      isOnePart ? blocks : max(1, min(blocks / 16, (1 << 20) / (perPixel * block)))
    pixelsPerPart = blocksPerPart * block
    parts = (blocks + blocksPerPart - 1) / blocksPerPart
    // Some panels are as good where all threads get as many.
    let sharesPanels = blocks <= 4 && panels >= 4 && panels % threads == 0
    packsInTasks = parts == 1 || sharesPanels
    let wanted = max(1, min(8, (perPixel * pixels) >> 17) / (packsInTasks ? 1 : max(1, parts)))
    panelsPerGroup = max(1, panels / wanted)
    panelGroups = (panels + panelsPerGroup - 1) / panelsPerGroup
  }

  /// The pixels of a task; of one before the first or behind the last, those of the nearest.
  func pixels(of task: Int) -> Range<Int> {
    if packsInTasks { return 0..<pixels }
    let start = max(0, min(task, tasks - 1)) / panelGroups * pixelsPerPart
    return start..<min(pixels, start + pixelsPerPart)
  }

  /// The first panel of a task; of one before the first or behind the last, that of the nearest.
  func firstPanel(of task: Int) -> Int {
    max(0, min(task, tasks - 1)) % panelGroups * panelsPerGroup
  }

  /// The floats of weights that a task packs.
  func packedInTask(_ packing: WeightPacking) -> Int {
    guard packsInTasks else { return 0 }
    let columns = stride(from: 0, to: panels, by: panelsPerGroup).map { first in
      (first..<min(panels, first + panelsPerGroup)).reduce(0) {
        $0 + packing.panels.base[$1].vectors * 16
      }
    }
    return packing.rows * (columns.max() ?? 0)
  }

  /// How many pixels a part has.
  func pixelCount(_ part: Int) -> Int { min(pixelsPerPart, pixels - part * pixelsPerPart) }
}
