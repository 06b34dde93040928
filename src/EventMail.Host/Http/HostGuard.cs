using System.Net;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http;

/// <summary>
/// Keeps pages of other sites out. A browser on this machine can be led to any port of it: by a name whose DNS answer changes (DNS
/// rebinding), which the Host field shows, or by a request across origins, which the Origin field shows. No CORS field is ever sent.
/// </summary>
/// <param name="names">Names besides localhost.</param>
/// <param name="anyAddress">Addresses besides loopback, too: a name is what rebinding needs.</param>
internal sealed class HostGuard(IEnumerable<string> names, bool anyAddress)
{
    private readonly HashSet<string> _names = new(names, StringComparer.OrdinalIgnoreCase);

    public Task RunAsync(HttpContext context, RequestDelegate next)
    {
        // Nothing here is a page: what is shown as one all the same (a captured HTML part) may neither run nor load anything.
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        // RFC 9110 §15.5.20
        if (!IsOurs(context.Request.Host.Host))
            return Problem.WriteAsync(context, StatusCodes.Status421MisdirectedRequest, "This server is not known by that name");
        return IsForeign(context.Request)
            ? Problem.WriteAsync(context, StatusCodes.Status403Forbidden, "Pages of other sites have no access")
            : next(context);
    }

    internal bool IsOurs(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase) // RFC 6761 §6.3
        || _names.Contains(host)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && (anyAddress || IPAddress.IsLoopback(address)));

    // Fetch Metadata says it where the browser has it; Origin, in older ones, wherever it matters.
    private static bool IsForeign(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site"
        || (request.Headers.Origin is { Count: > 0 } origin && !origin.ToString().Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase));
}
