using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Hull.Images.Registry;

/// <summary>Turns a refused request into a <see cref="RegistryException"/>: the status, the registry's error code, and its
/// words made printable.</summary>
internal static class RegistryFailure
{
    private const int MaximumWords = 300;

    /// <summary>The failure of an answered request, with hull's own words.</summary>
    public static RegistryException Of(
        RegistryError kind,
        HttpRequestMessage request,
        HttpResponseMessage response,
        string message,
        Exception? inner = null,
        string? code = null) =>
        new(kind, message, inner)
        {
            Method = request.Method.Method,
            Url = RegistryException.Redact(request.RequestUri!),
            Status = (int)response.StatusCode,
            Code = code,
            RetryAfter = RetryAfter(response),
        };

    /// <summary>The failure that status and body tell.</summary>
    /// <param name="subject">What was asked for, as the first words of the message.</param>
    public static RegistryException From(HttpRequestMessage request, HttpResponseMessage response, byte[] body, string subject)
    {
        ErrorEntry? error = Parse(body);
        string? code = error?.Code is { Length: > 0 } c ? Printable(c) : null;
        RegistryError kind = Kind(response.StatusCode, code);
        string said = error?.Message is { Length: > 0 } words ? Printable(words) : Words(response.StatusCode);
        string message = kind == RegistryError.RateLimited
            ? $"{subject}: toomanyrequests: {said} ({request.RequestUri!.Authority} limits the rate of requests; "
                + $"{Later(response)} or log in for a higher limit)"
#pragma warning disable CA1308 // Docker prints codes this way: "manifest unknown".
            : $"{subject}: {(code is null ? "" : code.ToLowerInvariant().Replace('_', ' ') + ": ")}{said}";
#pragma warning restore CA1308
        return Of(kind, request, response, message, null, code);
    }

    /// <summary>How long nothing came or went, and where the limit is set.</summary>
    public static string Silence(TimeSpan limit) => string.Create(
        CultureInfo.InvariantCulture,
        $"for {limit.TotalSeconds:0.###} s (a slow network may need more: HULL_REGISTRY_TIMEOUT, or registry-timeout in {RegistrySettings.DefaultFile})");

    /// <summary>How long the answer asks to wait; null where it does not say.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response) =>
        response.Headers.RetryAfter switch
        {
            { Delta: TimeSpan delta } => delta,
            { Date: DateTimeOffset date } when date > DateTimeOffset.UtcNow => date - DateTimeOffset.UtcNow,
            { Date: not null } => TimeSpan.Zero,
            _ => null,
        };

    /// <summary>Worth asking again soon: the server is overloaded or restarting.</summary>
    public static bool IsPassing(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway
            or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Foreign words on one line of a terminal.</summary>
    public static string Printable(string text) =>
        string.Concat(text.Take(MaximumWords).Select(c => char.IsControl(c) ? ' ' : c)).Trim();

    private static RegistryError Kind(HttpStatusCode status, string? code) => status switch
    {
        HttpStatusCode.TooManyRequests => RegistryError.RateLimited,
        _ when code == "TOOMANYREQUESTS" => RegistryError.RateLimited,
        HttpStatusCode.NotFound => RegistryError.NotFound,
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => RegistryError.Unauthorized,
        _ => RegistryError.Server,
    };

    private static string Words(HttpStatusCode status) => status switch
    {
        HttpStatusCode.NotFound => "not found",
        HttpStatusCode.Unauthorized => "authentication required",
        HttpStatusCode.Forbidden => "access denied",
        HttpStatusCode.TooManyRequests => "too many requests",
        HttpStatusCode.MethodNotAllowed => "the registry does not allow it",
        HttpStatusCode.RequestEntityTooLarge => "too large",
        _ => $"the server answered with status {(int)status}",
    };

    private static string Later(HttpResponseMessage response) =>
        RetryAfter(response) is TimeSpan wait ? $"try again in {wait.TotalSeconds:0} s" : "try again later";

    private static ErrorEntry? Parse(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, RegistryJson.Default.ErrorBody)?.Errors?.FirstOrDefault(e => e is not null);
        }
        catch (JsonException)
        {
            // An error page of something before the registry: the status alone has to do.
            return null;
        }
    }
}
