import ArgumentParser
import Embedder

/// What every measurement of an encoder takes.
struct EncoderOptions: ParsableArguments {
    @Option(help: "What the encoder computes in: float32 or int8.")
    var precision = EncoderPrecision.int8

    @Option(help: "Seconds to measure, at least.")
    var seconds = 3.0

    @Option(help: "The model's folder.")
    var model = "models/all-MiniLM-L6-v2"
}
