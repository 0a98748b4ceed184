# The image of Apache Kafka as far as docker-compose.yml and the tests use it, by the same names.
ARG BASE
FROM $BASE
COPY java/usr /usr
COPY java/etc /etc
RUN useradd --create-home appuser \
    && install --directory --owner appuser /opt/kafka/config /mnt/shared/config /var/lib/kafka/data \
    && ln -s /usr/lib/jvm/java-17-*/bin/java /usr/local/bin/java \
    && java -Xshare:dump >/dev/null
COPY jars /opt/kafka/libs
COPY log4j2.yaml server.properties /etc/kafka/docker/
COPY --chmod=755 run /etc/kafka/docker/run
COPY --chmod=755 kafka-broker-api-versions.sh /opt/kafka/bin/
RUN cp /etc/kafka/docker/log4j2.yaml /etc/kafka/docker/tools-log4j2.yaml
USER appuser
VOLUME ["/var/lib/kafka/data"]
EXPOSE 9092
CMD ["/etc/kafka/docker/run"]
