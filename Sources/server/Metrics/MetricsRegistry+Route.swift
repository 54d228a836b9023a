import HTTPTypes
package import Hummingbird
import NIOCore

extension MetricsRegistry {
    /// The reply of `GET /metrics`.
    package func response() -> Response {
        Response(
            status: .ok, headers: [.contentType: PrometheusText.contentType, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: render())))
    }
}
