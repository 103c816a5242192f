import Foundation

@testable import Workbench

/// Figures that the plot tests share, made of fixed numbers.
enum SampleFigures {
  /// A value like a loss after so many epochs.
  static func loss(_ epoch: Int, start: Double = 2.3, floor: Double = 0.35, speed: Double = 0.08)
    -> Double
  {
    let wiggle = 0.03 * sin(Double(epoch) * 2.7) + 0.02 * cos(Double(epoch) * 5.1)
    return floor + (start - floor) * exp(-speed * Double(epoch)) + wiggle
  }

  static func accuracy(_ epoch: Int, top: Double = 97, speed: Double = 0.09) -> Double {
    top - 85 * exp(-speed * Double(epoch)) + 0.8 * sin(Double(epoch) * 1.9)
  }

  static let loss = Figure(
    title: "Loss of s-c10",
    x: .init("epoch", isWhole: true), y: .init("cross entropy"),
    series: [
      .init("train", values: (1...60).map { loss($0, start: 2.6, floor: 0.5) }),
      .init("eval", values: (1...60).map { loss($0) }),
    ],
    marks: [.init(x: 57, y: loss(57), label: "best 0.338 at 57", color: 1)])

  static let accuracy = Figure(
    title: "Accuracy",
    x: .init("epoch", isWhole: true), y: .init("accuracy", unit: "%"),
    series: [
      .init("s-c10 top1", values: (1...60).map { accuracy($0) }),
      .init("s-c10 top5", values: (1...60).map { accuracy($0, top: 99.7, speed: 0.2) }),
      .init("b3-c10 top1", values: (1...45).map { accuracy($0, top: 93, speed: 0.06) }),
      .init("b3-c10 top5", values: (1...45).map { accuracy($0, top: 98.9, speed: 0.15) }),
    ])

  static let twoAxes = Figure(
    title: "Progressive learning",
    x: .init("epoch", isWhole: true), y: .init("cross entropy"),
    y2: .init("learning rate", scale: .logarithmic),
    series: [
      .init("train", values: (1...40).map { loss($0, start: 2.6, floor: 0.5) }),
      .init("eval", values: (1...40).map { $0 % 2 == 0 ? loss($0) : nil }, style: .linesAndPoints),
      Figure.Series(
        "learning rate",
        (1...40).map {
          .init(Double($0), 1e-6 + 0.025 * (1 + cos(Double($0) * .pi / 40)))
        }, side: .right, isDashed: true),
    ],
    bands: [
      .init(from: 11, to: 20, label: "160 px"), .init(from: 31, to: 40, label: "288 px"),
    ])

  static let logarithmic = Figure(
    title: "Learning-rate finder",
    x: .init("learning rate", scale: .logarithmic), y: .init("loss", scale: .logarithmic),
    series: [
      .init(
        "",
        (0...60).map { step in
          let rate = pow(10, -6 + Double(step) / 10)
          return .init(rate, 2.3 - 1.6 / (1 + pow(0.01 / rate, 1.5)) + pow(rate / 0.3, 3) * 2)
        })
    ])

  static let seeds = Figure(
    title: "Mean of 5 seeds", x: .init("time", unit: "s"), y: .init("top-1", unit: "%"),
    series: (0..<2).map { run in
      Figure.Series(
        run == 0 ? "sgd" : "adamw",
        (1...30).map { epoch in
          let y = accuracy(epoch, top: run == 0 ? 97 : 92, speed: run == 0 ? 0.09 : 0.16)
          return .init(Double(epoch) * 21.4, y, low: y - 3, high: y + 2.4)
        })
    })

  static let manyRuns = Figure(
    title: "Sweep", x: .init("epoch", isWhole: true), y: .init("top-1", unit: "%"),
    series: (0..<9).map { run in
      .init(
        "lr=\(0.01 * Double(run + 1))",
        values: (1...20).map { accuracy($0, top: 97 - 4 * Double(run), speed: 0.25) })
    })

  /// Every character that means something to gnuplot, a shell or a terminal.
  static let hostile = Figure(
    title: "it's `touch evil` \"$(touch evil)\" {/Bold x}_y^z @macro \\n # %d\nset output 'evil'",
    x: .init("x'\n!touch evil"), y: .init("y\u{1B}[31m", unit: "%s"),
    series: [
      .init("a'b", values: [1, 2, nil, .nan, 4, .infinity, 3]),
      .init("end_of_data\n!touch evil", values: [2, 1], style: .points),
    ],
    marks: [.init(x: 1, y: 1, label: "'; !touch evil #")],
    bands: [.init(from: 2, to: 3, label: "'`touch evil`'")])

  static let all: [(name: String, figure: Figure)] = [
    ("loss", loss), ("accuracy", accuracy), ("two-axes", twoAxes), ("logarithmic", logarithmic),
    ("seeds", seeds), ("many-runs", manyRuns), ("hostile", hostile),
  ]
}
