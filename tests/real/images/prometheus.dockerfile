# The image of Prometheus as far as docker-compose.yml uses it.
ARG BASE
FROM $BASE
COPY prometheus/usr/bin /usr/bin
COPY --chmod=755 promtool /usr/local/bin/promtool
RUN install --directory --owner nobody /prometheus
USER nobody
VOLUME ["/prometheus"]
EXPOSE 9090
ENTRYPOINT ["/usr/bin/prometheus"]
